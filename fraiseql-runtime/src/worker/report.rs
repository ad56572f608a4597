//! `WorkerReport`: what a worker has done.

use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

/// What a worker has done since it was started.
///
/// ```text
/// 1200 changes in 3 batches: 0 inserted, 800 updated, 12 unchanged, 0 deleted; 1 failed in 412ms
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerReport {
    /// The changes that were drained.
    pub changes: u64,
    /// The batches that had changes.
    pub batches: u64,
    /// Documents that were inserted.
    pub inserted: u64,
    /// Documents that were updated.
    pub updated: u64,
    /// Documents that were equal already.
    pub unchanged: u64,
    /// Documents that were deleted.
    pub deleted: u64,
    /// How often documents could not be written. They are tried again later.
    pub failed: u64,
    /// How often documents were left for a moment, because other transactions had locked them.
    pub postponed: u64,
    /// Documents that were given up: [`ReadModel::dead_letters`](crate::ReadModel::dead_letters).
    pub dead: u64,
    /// Views that were synced as a whole, after `TRUNCATE`.
    pub full_syncs: u64,
    /// Refreshes of materialized views.
    pub refreshes: u64,
    /// The time since the start.
    pub duration: Duration,
}

impl WorkerReport {
    /// The number of documents that were compared, changed or not.
    #[must_use]
    pub const fn documents(&self) -> u64 {
        self.inserted + self.updated + self.unchanged + self.deleted
    }
}

impl AddAssign for WorkerReport {
    fn add_assign(&mut self, other: Self) {
        self.changes += other.changes;
        self.batches += other.batches;
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
        self.failed += other.failed;
        self.postponed += other.postponed;
        self.dead += other.dead;
        self.full_syncs += other.full_syncs;
        self.refreshes += other.refreshes;
        self.duration += other.duration;
    }
}

impl fmt::Display for WorkerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} changes in {} batches: {} inserted, {} updated, {} unchanged, {} deleted",
            self.changes, self.batches, self.inserted, self.updated, self.unchanged, self.deleted
        )?;
        for (count, what) in [
            (self.failed, "failed"),
            (self.postponed, "postponed"),
            (self.dead, "given up"),
            (self.full_syncs, "full syncs"),
            (self.refreshes, "refreshes"),
        ] {
            if count > 0 {
                write!(f, "; {count} {what}")?;
            }
        }
        write!(f, " in {:.1?}", self.duration)
    }
}
