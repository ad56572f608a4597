//! The protocols by which a batch of documents is written without losing a concurrent change.
//!
//! Two syncs of one document must not both build it and then overwrite each other: the one that
//! writes last may have read the base tables first. There are two protocols against that.
//!
//! **After the commit** of the writer, on a pool ([`after_commit`]): one guarded statement builds,
//! compares, writes and deletes. It replaces a document only if its snapshot sees the transaction
//! that wrote the document. `ON CONFLICT DO UPDATE` needs that guard: the new row was computed
//! before the statement waited for the row lock, so a document that was written meanwhile may be
//! newer. The documents that it did not write are locked, and built again in a snapshot that is
//! newer than the lock. So are the equal documents that it skipped, if another transaction was
//! about to replace them.
//!
//! **Inside the writer's transaction** ([`in_transaction`]): everything is locked first, then built
//! and written by the locked statement.
//!
//! [`write`](crate::sql::write) says why that is enough.
//!
//! | module | |
//! |---|---|
//! | `rounds` | the two protocols: the order of the statements |
//! | `outcome` | the result of a write statement, and the table of what follows from it |
//! | `writer` | the statements, one at a time |
//! | `lockable` | relations whose rows cannot be locked |

mod lockable;
mod outcome;
mod rounds;
pub(super) mod writer;

use sqlx::PgConnection;

pub(super) use self::lockable::note_failure as note_unlockable;
use self::writer::BatchWriter;
use crate::db::scope::TransactionScope;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::schema::key::Keys;
use crate::sql::function::EmbeddedRows;
use crate::sync::report::SyncReport;
use crate::view::Handle;

/// What a sync on a pool does about transactions that have synced and are still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenWriters {
    /// It waits for those that have changed a row that it embeds.
    WaitFor,
    /// It writes anyway.
    Ignore,
}

/// Writes the documents of `keys` in transactions of their own. `peers` is the number of the
/// transactions that are known to write other documents. `set_session` is whether the settings that the documents need are
/// known not to be those of the connection.
pub(super) async fn after_commit(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    writers: OpenWriters,
    peers: Option<i32>,
    set_session: bool,
) -> Result<SyncReport> {
    let mut writer = BatchWriter::new(connection, view).with_peers(peers);
    if set_session {
        writer = writer.in_unsuitable_session();
    }
    writer.after_commit(keys, writers).await
}

/// Writes the documents of `keys` in the transaction of the caller. `set_session` is whether the
/// settings that they need are known not to be those of the caller.
pub(super) async fn in_transaction(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    set_session: bool,
) -> Result<SyncReport> {
    BatchWriter::new(connection, view)
        .in_transaction(keys, set_session)
        .await
}

/// Writes the documents of `keys` in the transaction of the caller, by the function of the view.
///
/// Its errors are those of the statements. REPEATABLE READ is refused by [`in_transaction`]: the function is not called
/// in it.
pub(super) async fn by_function(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
) -> Result<SyncReport> {
    let functions = &view.statements().functions;
    Statement::new(&functions.call, Operation::Sync)
        .on(view.view.table)
        .bind_keys(keys)
        .bind(EmbeddedRows::All.as_str())
        .fetch_one(connection, SyncReport::read)
        .await
}

/// Writes documents that take each other's values of `unique` columns. No order of updates within
/// one statement can do that, so `clear` empties the columns first, in the same transaction.
pub(super) async fn exchanging(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    clear: &'static str,
    scope: TransactionScope,
) -> Result<SyncReport> {
    BatchWriter::new(connection, view)
        .exchanging(keys, clear, scope)
        .await
}

/// The documents other than those of `keys` that store unique values which these should have. `sql`
/// is the statement that finds them.
pub(super) async fn unique_holders(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    sql: &'static str,
    scope: TransactionScope,
) -> Result<Keys> {
    let mut writer = BatchWriter::new(connection, view);
    match scope {
        // A value may be that of an expression, which depends on the settings.
        TransactionScope::Own => {
            writer
                .in_own_transaction(async |writer| writer.unique_holders(keys, sql).await)
                .await
        }
        TransactionScope::Caller => writer.unique_holders(keys, sql).await,
    }
}

/// Announces the transaction of the caller to other syncs, without syncing any document: a
/// transaction that embeds a row that this one has changed has to wait for it.
pub(super) async fn announce(connection: &mut PgConnection, view: Handle) -> Result<()> {
    Statement::new(&view.statements().sync.announce, Operation::Announce)
        .on(view.view.table)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes the documents of `keys`, and returns the number of those that existed.
pub(super) async fn delete(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
) -> Result<u64> {
    Statement::new(&view.statements().sync.delete, Operation::Delete)
        .on(view.view.table)
        .bind_keys(keys)
        .execute(connection)
        .await
}
