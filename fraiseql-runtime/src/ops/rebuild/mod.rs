//! Rebuild: replaces stale documents after a struct has changed, while they are read and written.
//!
//! [`Rebuild`] in `builder` takes the options. `run` rebuilds one view under its advisory lock, by
//! a full sync. `status` reads the bookkeeping, `report` has the results.

mod builder;
pub(crate) mod report;
mod run;
pub(crate) mod status;

pub use self::builder::Rebuild;
pub use self::report::{RebuildOutcome, RebuildReport, ViewRebuild};
pub use self::status::{RebuildState, RebuildStatus};
