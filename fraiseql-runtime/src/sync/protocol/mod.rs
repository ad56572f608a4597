//! The two protocols for a batch of keys: after the commit, and inside the writer's
//! transaction.
//!
//! After the commit, one guarded statement builds, compares, writes and deletes. It only
//! replaces documents that its snapshot has seen: `EXCLUDED` was computed before the wait for a
//! row lock, so a document that was written meanwhile may be newer. What it did not write, and
//! what it skipped while others were about to write, is locked first and then built again, in a
//! snapshot that is newer than the lock. Inside a transaction everything is locked first.
//!
//! [`write`](crate::sql::write) says why that is enough.
//!
//! `protocol` has the two, `statement` runs one statement, `answer` is what the one that writes
//! says, `session` are the transaction and the settings around them. Here is what others ask for.

mod answer;
mod own_transaction;
mod rounds;
mod statement;

use sqlx::PgConnection;

use self::statement::Form;
use crate::db::scope::TransactionScope;
use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Operation, Result};
use crate::schema::key::Keys;
use crate::sql::sync::SyncSql;
use crate::sync::report::SyncReport;
use crate::view::Handle;

/// A batch of one view on one connection.
pub(super) struct Batch<'c> {
    pub(super) connection: &'c mut PgConnection,
    view: Handle,
    sql: &'static SyncSql,
    /// The backends that are known to write other documents.
    friends: &'c [i32],
}

/// The protocol after the commit: the statement is its own transaction. `friends` are the
/// backends that are known to write other documents.
pub(crate) async fn guarded(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    friends: &[i32],
) -> Result<SyncReport> {
    let mut batch = Batch::new(connection, view);
    batch.friends = friends;
    batch.guarded(keys).await
}

/// The protocol inside the writer's transaction.
pub(crate) async fn in_transaction(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
) -> Result<SyncReport> {
    Batch::new(connection, view).in_transaction(keys).await
}

/// The protocol for documents that take each other's values in `unique` columns, which one
/// statement cannot give them: in a transaction, the columns are emptied first.
pub(crate) async fn exchanging(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    clear: &'static str,
    scope: TransactionScope,
) -> Result<SyncReport> {
    let mut batch = Batch::new(connection, view);
    let exchange = async |batch: &mut Batch<'_>| {
        let locked = batch.lock_documents(keys).await?;
        trace_statement(clear);
        keys.bind(sqlx::query(clear))
            .execute(&mut *batch.connection)
            .await
            .map_err(batch.failed(Operation::ClearUnique))?;
        batch.write(keys, Form::Locked(&locked)).await
    };
    let answer = match scope {
        TransactionScope::Own => batch.in_own_transaction(exchange).await?,
        TransactionScope::Caller => exchange(&mut batch).await?,
    };
    batch.finish(answer, scope).await
}

/// There is nothing to sync; but what this transaction has changed may come to be embedded while
/// it is open.
pub(crate) async fn announce(connection: &mut PgConnection, view: Handle) -> Result<()> {
    let sql: &'static str = &view.statements().sync.announce;
    trace_statement(sql);
    let batch = Batch::new(connection, view);
    let failed = batch.failed(Operation::Announce);
    sqlx::query(sql)
        .execute(batch.connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Deletes documents, and says how many there were.
pub(crate) async fn delete(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
) -> Result<u64> {
    let sql: &'static str = &view.statements().sync.delete;
    trace_statement(sql);
    let done = keys
        .bind(sqlx::query(sql))
        .execute(connection)
        .await
        .map_err(Error::on_table(Operation::Delete, view.view.table))?;
    Ok(done.rows_affected())
}

impl<'c> Batch<'c> {
    pub(super) fn new(connection: &'c mut PgConnection, view: Handle) -> Self {
        Self {
            connection,
            view,
            sql: &view.statements().sync,
            friends: &[],
        }
    }

    /// An error of an operation on the view table.
    pub(super) fn failed(&self, operation: Operation) -> impl FnOnce(sqlx::Error) -> Error + use<> {
        Error::on_table(operation, self.view.view.table)
    }
}
