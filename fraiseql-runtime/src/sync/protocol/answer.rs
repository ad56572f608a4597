//! What the write statement answered.

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::schema::key::Keys;
use crate::sql::write::answer;
use crate::sync::protocol::statement::Form;
use crate::sync::report::SyncReport;

/// What the write statement answered.
pub(super) struct Answer {
    pub(super) session_ok: bool,
    pub(super) found: u64,
    pub(super) changed: u64,
    pub(super) written: u64,
    pub(super) deleted: Keys,
    pub(super) bytes: u64,
    pub(super) inserted: Keys,
    /// Documents that another transaction wrote after the snapshot or has locked, and that were
    /// not replaced or deleted, or not skipped for good.
    pub(super) blocked: Keys,
    /// How many of these are equal.
    pub(super) blocked_equal: u64,
    /// Equal documents that others may be about to replace.
    pub(super) unsure: Keys,
    /// These others, by transaction.
    pub(super) others: Vec<String>,
    pub(super) snapshot: Option<String>,
    /// A transaction that has synced is not over.
    pub(super) open: bool,
    /// Keys without a row or a document.
    pub(super) missing: Keys,
}

impl Answer {
    /// The answer to a write of `keys`.
    pub(super) fn read(row: &PgRow, keys: &Keys, form: Form<'_>) -> sqlx::Result<Self> {
        let count = |column| -> sqlx::Result<u64> {
            Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
        };
        let (changed, written) = (count(answer::CHANGED)?, count(answer::WRITTEN)?);
        let deleted = keys.read(row, answer::DELETED)?;
        let mut blocked = keys.read(row, answer::BLOCKED)?;
        let mut left_over = keys.read(row, answer::ORPHANS)?;
        left_over.remove(&deleted);
        let mut answer = Self {
            session_ok: row.try_get(answer::SESSION_OK)?,
            found: count(answer::FOUND)?,
            changed,
            written,
            deleted,
            bytes: count(answer::BYTES)?,
            inserted: keys.read(row, answer::INSERTED)?,
            // Where a key has several rows, they are one key here, and several changed rows.
            blocked_equal: (blocked.len() as u64).saturating_sub(changed - written),
            blocked: keys.none(),
            unsure: keys.none(),
            others: Vec::new(),
            snapshot: None,
            open: false,
            missing: keys.none(),
        };
        match form {
            Form::Guarded => {
                answer.unsure = keys.read(row, answer::UNSURE)?;
                let others: Option<_> = row.try_get(answer::OTHERS)?;
                answer.others = others.unwrap_or_default();
                answer.snapshot = row.try_get(answer::SNAPSHOT)?;
                answer.open = row.try_get(answer::OPEN)?;
            }
            Form::Locked(_) => answer.missing = keys.read(row, answer::MISSING)?,
        }
        blocked.append(left_over);
        answer.blocked = blocked;
        Ok(answer)
    }

    /// What was done. Keys that were blocked are not counted: they will be.
    pub(super) fn report(&self) -> SyncReport {
        let inserted = self.inserted.len() as u64;
        SyncReport {
            inserted,
            updated: self.written - inserted,
            unchanged: self.found - self.changed - self.blocked_equal,
            deleted: self.deleted.len() as u64,
            bytes: self.bytes,
            ..SyncReport::default()
        }
    }

    /// Equal documents are to be looked at again.
    pub(super) fn block_equal(&mut self, keys: Keys) {
        self.blocked_equal += keys.len() as u64;
        self.blocked.append(keys);
    }
}
