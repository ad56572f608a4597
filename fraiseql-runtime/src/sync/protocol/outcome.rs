//! The outcome of a write statement, and the step that follows from it.
//!
//! The table of [`WriteOutcome::next_step`], in the order in which the steps are taken. A dash means
//! that the column does not matter: a statement that wrote nothing returns no such keys.
//!
//! | status | unconfirmed | of them, writers known | conflicted | next step |
//! |---|---|---|---|---|
//! | session unsuitable | - | - | - | [`SetSession`](NextStep::SetSession) |
//! | writer active | - | - | - | [`LockRows`](NextStep::LockRows) |
//! | writers committed | - | - | - | [`WriteAgain`](NextStep::WriteAgain) |
//! | executed | more than [`MAX_FEW_KEYS`] | yes | - | [`AwaitWriters`](NextStep::AwaitWriters) |
//! | executed | more than [`MAX_FEW_KEYS`] | no | - | [`RebuildUnconfirmed`](NextStep::RebuildUnconfirmed) |
//! | executed | at most [`MAX_FEW_KEYS`] | - | - | [`RebuildUnconfirmed`](NextStep::RebuildUnconfirmed) |
//! | executed | none | - | some | [`Rebuild`](NextStep::Rebuild) |
//! | executed | none | - | none | [`Finish`](NextStep::Finish) |

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::schema::key::Keys;
use crate::sql::sync::MAX_FEW_KEYS;
use crate::sql::write::one::result_row as one_row;
use crate::sql::write::protocol::WriteProtocol;
use crate::sql::write::result_row::{self, writer};
use crate::sync::report::SyncReport;

/// The outcome of a write statement.
#[derive(Debug)]
pub(super) struct WriteOutcome {
    pub(super) status: WriteStatus,
    /// The documents that were written, deleted, or skipped as equal. Documents in conflict are not
    /// counted: the statement that builds them again counts them.
    pub(super) report: SyncReport,
    /// Documents that did not exist before.
    pub(super) inserted: Keys,
    /// Documents that another transaction has written after the snapshot, or has locked, and that
    /// were therefore not written. They must be locked and built again.
    pub(super) conflicted: Keys,
    /// Equal documents whose skip is not final.
    pub(super) unconfirmed: Unconfirmed,
    /// Keys with neither a root row nor a document. Only the locked statement returns them.
    pub(super) absent: Keys,
}

/// Whether the statement wrote at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteStatus {
    /// It did.
    Executed,
    /// It wrote nothing: the settings, the search path or the isolation level of the session are
    /// not what documents need.
    SessionUnsuitable,
    /// It wrote nothing: a transaction that has synced inside itself is still open. Its changes are
    /// not visible yet, and it may not know of documents that embed the rows that it has changed.
    WriterActive,
    /// It wrote nothing: no such transaction is open now, but transactions that were in progress at
    /// its snapshot have committed since, and one of them may have been such a transaction.
    WritersCommitted,
}

impl WriteStatus {
    /// The status that the two columns stand for. `SESSION_OK` is false also if there is a writer.
    fn of(session_ok: bool, writer: Option<&str>) -> Self {
        match (session_ok, writer) {
            (_, Some(writer::COMMITTED)) => Self::WritersCommitted,
            (_, Some(_)) => Self::WriterActive,
            (false, None) => Self::SessionUnsuitable,
            (true, None) => Self::Executed,
        }
    }
}

/// Documents that were skipped because they are equal to what is stored, while another transaction
/// may be about to replace them by an older version.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    pub(super) keys: Keys,
    /// The virtual transaction ids of those transactions. Empty if the statement found none, and the
    /// documents are unconfirmed because another transaction has locked their rows.
    pub(super) conflicting_vxids: Vec<String>,
    /// The snapshot of the statement.
    pub(super) snapshot: Option<String>,
}

/// The step that follows a write statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    /// Write again in a transaction that sets what documents need.
    SetSession,
    /// Write again after locking the rows that the documents embed, which waits for the writer.
    LockRows,
    /// Write again in a new snapshot, without looking for writers.
    WriteAgain,
    /// Wait until the conflicting transactions have ended or stopped writing, then find out which
    /// unconfirmed documents they have overwritten.
    AwaitWriters,
    /// Treat all unconfirmed documents as conflicted. Building a few again takes less time than
    /// waiting and looking.
    RebuildUnconfirmed,
    /// Lock the conflicted documents and build them again.
    Rebuild,
    /// Every document is written, or its skip is final.
    Finish,
}

impl WriteOutcome {
    /// Reads the row that a write of `keys` returned.
    pub(super) fn read(row: &PgRow, keys: &Keys, protocol: WriteProtocol) -> sqlx::Result<Self> {
        let count = |column| -> sqlx::Result<u64> {
            Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
        };
        let (changed, written) = (count(result_row::CHANGED)?, count(result_row::WRITTEN)?);
        let deleted = keys.read(row, result_row::DELETED)?;
        let inserted = keys.read(row, result_row::INSERTED)?;
        let mut conflicted = keys.read(row, result_row::CONFLICTED)?;
        // The locked statement also reports equal documents that it has not locked: those that are
        // beyond the changed ones that were not written. A key with several root rows is one key
        // here, and several changed rows.
        let conflicted_equal = (conflicted.len() as u64).saturating_sub(changed - written);
        let mut orphans = keys.read(row, result_row::ORPHANS)?;
        orphans.remove(&deleted);
        conflicted.append(orphans);
        let report = SyncReport {
            inserted: inserted.len() as u64,
            updated: written - inserted.len() as u64,
            unchanged: count(result_row::FOUND)? - changed - conflicted_equal,
            deleted: deleted.len() as u64,
            bytes: count(result_row::BYTES)?,
            ..SyncReport::default()
        };
        let session_ok = row.try_get(result_row::SESSION_OK)?;
        let mut outcome = Self {
            status: WriteStatus::of(session_ok, None),
            report,
            inserted,
            conflicted,
            unconfirmed: Unconfirmed {
                keys: keys.none(),
                conflicting_vxids: Vec::new(),
                snapshot: None,
            },
            absent: keys.none(),
        };
        match protocol {
            WriteProtocol::Guarded => {
                let writer: Option<&str> = row.try_get(result_row::WRITER)?;
                outcome.status = WriteStatus::of(session_ok, writer);
                let vxids: Option<_> = row.try_get(result_row::CONFLICTING_VXIDS)?;
                outcome.unconfirmed = Unconfirmed {
                    keys: keys.read(row, result_row::UNCONFIRMED)?,
                    conflicting_vxids: vxids.unwrap_or_default(),
                    snapshot: row.try_get(result_row::SNAPSHOT)?,
                };
            }
            WriteProtocol::Locked => outcome.absent = keys.read(row, result_row::ABSENT)?,
        }
        Ok(outcome)
    }

    /// Reads the row that a statement returned which wrote the document of `keys`, the only one.
    pub(super) fn of_one(row: &PgRow, keys: &Keys) -> sqlx::Result<Self> {
        let is_inserted = row.try_get::<i64, _>(one_row::VERSION)? == 1;
        Ok(Self {
            status: WriteStatus::Executed,
            report: SyncReport {
                inserted: u64::from(is_inserted),
                updated: u64::from(!is_inserted),
                bytes: u64::try_from(row.try_get::<i64, _>(one_row::BYTES)?).unwrap_or(0),
                ..SyncReport::default()
            },
            inserted: if is_inserted {
                keys.clone()
            } else {
                keys.none()
            },
            conflicted: keys.none(),
            unconfirmed: Unconfirmed {
                keys: keys.none(),
                conflicting_vxids: Vec::new(),
                snapshot: None,
            },
            absent: keys.none(),
        })
    }

    /// The step that follows, by the table of this module.
    pub(super) fn next_step(&self) -> NextStep {
        let unconfirmed = &self.unconfirmed;
        let writers_known =
            unconfirmed.snapshot.is_some() && !unconfirmed.conflicting_vxids.is_empty();
        match (self.status, unconfirmed.keys.len(), writers_known) {
            (WriteStatus::SessionUnsuitable, ..) => NextStep::SetSession,
            (WriteStatus::WriterActive, ..) => NextStep::LockRows,
            (WriteStatus::WritersCommitted, ..) => NextStep::WriteAgain,
            (WriteStatus::Executed, 0, _) if self.conflicted.is_empty() => NextStep::Finish,
            (WriteStatus::Executed, 0, _) => NextStep::Rebuild,
            (WriteStatus::Executed, 1..=MAX_FEW_KEYS, _) | (WriteStatus::Executed, _, false) => {
                NextStep::RebuildUnconfirmed
            }
            (WriteStatus::Executed, _, true) => NextStep::AwaitWriters,
        }
    }

    /// Takes the unconfirmed documents out: the caller decides which of them are in conflict.
    pub(super) fn take_unconfirmed(&mut self) -> Unconfirmed {
        let none = Unconfirmed {
            keys: self.unconfirmed.keys.none(),
            conflicting_vxids: Vec::new(),
            snapshot: None,
        };
        std::mem::replace(&mut self.unconfirmed, none)
    }

    /// Moves documents that were counted as unchanged to those in conflict.
    pub(super) fn mark_conflicted(&mut self, equal: Keys) {
        self.report.unchanged -= equal.len() as u64;
        self.conflicted.append(equal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: usize) -> Keys {
        Keys::I64((0..).take(count).collect())
    }

    /// An outcome with these numbers of keys and transactions.
    fn outcome(
        status: WriteStatus,
        unconfirmed: usize,
        vxids: usize,
        conflicted: usize,
    ) -> WriteOutcome {
        WriteOutcome {
            status,
            report: SyncReport {
                unchanged: unconfirmed as u64,
                ..SyncReport::default()
            },
            inserted: keys(0),
            conflicted: keys(conflicted),
            unconfirmed: Unconfirmed {
                keys: keys(unconfirmed),
                conflicting_vxids: (0..vxids).map(|n| format!("3/{n}")).collect(),
                snapshot: (unconfirmed > 0).then(|| "100:100:".to_owned()),
            },
            absent: keys(0),
        }
    }

    #[test]
    fn the_next_step_follows_the_table() {
        use NextStep::{
            AwaitWriters, Finish, LockRows, Rebuild, RebuildUnconfirmed, SetSession, WriteAgain,
        };
        use WriteStatus::{Executed, SessionUnsuitable, WriterActive, WritersCommitted};
        // Status, unconfirmed documents, known writers, conflicted documents.
        let table = [
            ((SessionUnsuitable, 0, 0, 0), SetSession),
            ((WriterActive, 0, 0, 0), LockRows),
            ((WritersCommitted, 0, 0, 0), WriteAgain),
            ((Executed, MAX_FEW_KEYS + 1, 1, 0), AwaitWriters),
            ((Executed, MAX_FEW_KEYS + 1, 1, 1), AwaitWriters),
            ((Executed, MAX_FEW_KEYS + 1, 0, 0), RebuildUnconfirmed),
            ((Executed, MAX_FEW_KEYS + 1, 0, 1), RebuildUnconfirmed),
            ((Executed, MAX_FEW_KEYS, 1, 0), RebuildUnconfirmed),
            ((Executed, MAX_FEW_KEYS, 1, 1), RebuildUnconfirmed),
            ((Executed, 1, 0, 0), RebuildUnconfirmed),
            ((Executed, 1, 0, 1), RebuildUnconfirmed),
            ((Executed, 0, 0, 1), Rebuild),
            ((Executed, 0, 0, 0), Finish),
        ];
        for ((status, unconfirmed, vxids, conflicted), next) in table {
            assert_eq!(
                outcome(status, unconfirmed, vxids, conflicted).next_step(),
                next,
                "{status:?}, {unconfirmed} unconfirmed, {vxids} writers, {conflicted} conflicted"
            );
        }
    }

    #[test]
    fn a_writer_takes_precedence_over_unsuitable_settings() {
        // If there is a writer, the statement returns false for the settings, too.
        let table = [
            ((true, None), WriteStatus::Executed),
            ((false, None), WriteStatus::SessionUnsuitable),
            ((false, Some(writer::ACTIVE)), WriteStatus::WriterActive),
            (
                (false, Some(writer::COMMITTED)),
                WriteStatus::WritersCommitted,
            ),
        ];
        for ((session_ok, writer), status) in table {
            assert_eq!(
                WriteStatus::of(session_ok, writer),
                status,
                "session_ok {session_ok}, writer {writer:?}"
            );
        }
    }

    #[test]
    fn unconfirmed_documents_are_rebuilt_or_counted_as_unchanged() {
        for unconfirmed in [1, MAX_FEW_KEYS, MAX_FEW_KEYS + 1] {
            let mut outcome = outcome(WriteStatus::Executed, unconfirmed, 1, 0);
            let skipped = outcome.take_unconfirmed();
            assert_eq!(outcome.next_step(), NextStep::Finish);
            outcome.mark_conflicted(skipped.keys);
            assert_eq!(outcome.next_step(), NextStep::Rebuild);
            assert_eq!(outcome.report.unchanged, 0);
        }
    }
}
