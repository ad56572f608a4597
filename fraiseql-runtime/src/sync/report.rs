//! What a sync did.

use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

/// What a sync did: documents counted by outcome, and the time it took.
///
/// Keys that have neither a row nor a document are in none of the counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncReport {
    /// Documents that were not there before.
    pub inserted: u64,
    /// Documents that were replaced.
    pub updated: u64,
    /// Documents that were equal already, and were not touched.
    pub unchanged: u64,
    /// Documents whose row is gone.
    pub deleted: u64,
    /// The time from the call to its return.
    pub duration: Duration,
}

impl SyncReport {
    /// How many documents were looked at.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.inserted + self.updated + self.unchanged + self.deleted
    }

    /// How many documents were written or deleted.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.inserted + self.updated + self.deleted
    }
}

impl AddAssign for SyncReport {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
        self.duration += other.duration;
    }
}

impl fmt::Display for SyncReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} inserted, {} updated, {} unchanged, {} deleted in {:.1?}",
            self.inserted, self.updated, self.unchanged, self.deleted, self.duration
        )
    }
}
