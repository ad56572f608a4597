//! Gives a transaction the settings with which documents are built.

use sqlx::PgConnection;

use crate::db::scope::{BEGIN_READ_ONLY, ScopeErrors, TransactionScope, isolated};
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::view::Handle;

/// Sets what the documents of `view` need of the session, until the transaction or the savepoint is
/// rolled back or ends. Sends nothing if they need nothing.
pub(crate) async fn set_local(connection: &mut PgConnection, view: Handle) -> Result<()> {
    let sync = &view.statements().sync;
    if sync.needs.any() {
        Statement::new(&sync.set_session, Operation::SessionSettings)
            .on(view.view.table)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Runs `work`, which only reads, with the session settings that documents need, and rolls back
/// afterwards: see [`isolated`].
pub(crate) async fn isolated_in_set_session<T>(
    connection: &mut PgConnection,
    scope: &mut TransactionScope,
    view: Handle,
    errors: &ScopeErrors,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    let begin = Some(BEGIN_READ_ONLY);
    isolated(connection, scope, begin, errors, async |connection| {
        set_local(connection, view).await?;
        work(connection).await
    })
    .await
}
