//! Gives a transaction the settings with which documents are built.

use sqlx::PgConnection;

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
