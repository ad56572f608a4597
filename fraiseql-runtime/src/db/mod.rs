//! Database access that all rooms share: connections, transactions, statements, their traces and
//! metrics.

pub(crate) mod byte_limit;
pub(crate) mod held_lock;
pub(crate) mod lease;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
pub(crate) mod scope;
pub(crate) mod session;
pub(crate) mod snapshot;
pub(crate) mod statement;
pub(crate) mod telemetry;
pub(crate) mod wal_position;
