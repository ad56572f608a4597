//! The statement that builds, compares, writes and deletes the documents of a batch.
//!
//! There are two of them. The *guarded statement* is a transaction of its own, or may be: it sees
//! the base tables as they were when its snapshot was taken, and other syncs run at the same
//! time. So it replaces a document only if its snapshot sees the transaction that wrote it, and
//! reports the others as in conflict: they are locked, and built again by the locked statement.
//! The *locked statement* runs in a transaction that has locked the documents before: its snapshot
//! is newer than the locks, so no other sync can have seen more.
//!
//! A sync of one key on a pool sends the statement of `one` first: a guarded statement that can only
//! write. If it has not, the guarded statement follows.
//!
//! # The CTEs
//!
//! | CTE | contains | composed in |
//! |---|---|---|
//! | `input` | the parameters | `input` |
//! | `session` | whether the session may write; if not, `built` and `orphans` are empty | `input` |
//! | `built` | the document of each key that has a root row, and whether it must be written | `built` |
//! | `counted` | totals of `built` | `built` |
//! | `equal` | the keys of equal documents, which are skipped | `equal` |
//! | `locks`, `others` | the transactions that may be about to write documents | `equal` |
//! | `unsure` (guarded) | the equal documents that one of them may replace | `equal` |
//! | `touched` (locked) | the equal documents whose `synced_xid` was written | `equal` |
//! | `written` | the documents that were inserted or updated | `written` |
//! | `orphans`, `deleted` | the documents without a root row, and those that were deleted | `written` |
//!
//! The last SELECT returns one row about them, described in `result_row`. All CTEs have the
//! snapshot of the statement, and none sees what another one writes. Those that are read more than
//! once, or must be computed at one moment, are MATERIALIZED.
//!
//! # Equal documents
//!
//! An equal document is not written. Still the sync must count: another sync with an older
//! snapshot, which is about to write, would replace the document by an older version, and no later
//! sync would notice. So a statement that skips a document checks, after its snapshot was taken,
//! whether another transaction is about to write:
//!
//! - A statement that writes locks the view table in mode ROW EXCLUSIVE, from before its snapshot
//!   until its transaction ends. The holders of that lock are in `pg_locks`.
//! - A transaction that locks documents first leaves its id in the row (`HELD`). It announces this
//!   by the advisory lock `IN_ORDER`, and others need not wait for it: it builds after it has locked.
//!
//! Without such a transaction, the skip is final. Otherwise the guarded statement reports the
//! documents as unconfirmed, and they are locked and compared again. The locked statement
//! *touches* the document: it writes `synced_xid` alone, which the guard of the other one sees.
//!
//! # Open transactions
//!
//! A transaction that has synced and is still open may have changed a row that a document of this
//! batch has only begun to embed: its sync did not know of this document, and this snapshot does
//! not see its change. So if such a transaction was open when the snapshot was taken, the guarded
//! statement writes nothing. If it still is (it holds the lock `OPEN`), the batch is run as inside
//! of a transaction, where it waits for the rows that it embeds. If it may have committed in the
//! meantime, the statement is sent again, and its new snapshot sees the change. A full sync
//! does not wait: it does not take the place of the sync that follows a change.

pub(crate) mod advisory;
mod built;
mod conditions;
pub(crate) mod equal;
mod input;
pub(crate) mod one;
pub(crate) mod protocol;
pub(crate) mod result_row;
pub(in crate::sql) mod write_statement;
mod written;

use crate::schema::View;
use crate::sql::document::BatchSize;
use crate::sql::text::Sql;
use crate::sql::write::protocol::WriteProtocol;
use crate::sql::write::write_statement::WriteStatement;

/// Composes the write statement of a view, whose shape has the number `number`.
pub(crate) fn compose(
    view: &View,
    number: i64,
    batch_size: BatchSize,
    protocol: WriteProtocol,
) -> String {
    let statement = WriteStatement::new(view, number, batch_size, protocol);
    let mut sql = Sql::new();
    statement.input(&mut sql);
    let session_ok = statement.session(&mut sql);
    statement.built(&mut sql, session_ok);
    statement.counted(&mut sql);
    statement.equal(&mut sql);
    statement.written(&mut sql);
    statement.deleted(&mut sql, session_ok);
    statement.result_row(&mut sql, session_ok);
    sql.finish()
}
