//! What every room that runs statements shares: connections and their transactions.

pub(crate) mod connection;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
pub(crate) mod mutex;
pub(crate) mod scope;
pub(crate) mod statement;
pub(crate) mod telemetry;
