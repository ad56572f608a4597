//! What a replica is for reads.

use std::fmt;

/// What a replica is for reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplicaState {
    /// It is in the set.
    Serving,
    /// It is older, or further behind, than the settings allow.
    Lagging,
    /// It is not in recovery: it was promoted, or never was a replica.
    Promoted,
    /// It belongs to another database system, or the pool is to another database.
    Foreign,
    /// It is on another timeline than the primary: it follows a server that was promoted.
    OtherTimeline,
    /// It cannot be reached.
    Unreachable,
    /// It was not looked at yet, or the primary was not.
    Unknown,
}

impl ReplicaState {
    /// Its name in logs and metrics: `serving`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Lagging => "lagging",
            Self::Promoted => "promoted",
            Self::Foreign => "foreign",
            Self::OtherTimeline => "other timeline",
            Self::Unreachable => "unreachable",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ReplicaState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
