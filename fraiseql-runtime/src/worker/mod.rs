//! The worker: syncs the documents of changes that were left for later, by capture, by
//! [`defer`](crate::ReadModel::defer), or by a mutation.
//!
//! | module | |
//! |---|---|
//! | `builder` | [`Worker`]: its settings, and the two ways to run it |
//! | `run` | the loop: looks, drains a batch, waits |
//! | `position` | up to where nothing is pending, and which transactions may come before |
//! | `batch` | looks for changes, and drains a batch |
//! | `whole` | views that are synced as a whole |
//! | `refresh` | refreshes materialized views that are due |
//! | `report` | [`WorkerReport`]: what a worker has done |
//! | `health` | [`WorkerHealth`]: whether a worker is alive, and how far it is behind |
//! | `letters` | [`Letters`], [`DeadLetter`]: documents that could not be written |
//! | `status` | [`PendingChanges`]: numbers of changes |
//! | `wait` | waits until the documents of a transaction are synced |
//! | `telemetry` | traces and metrics |

mod batch;
mod builder;
mod health;
pub(crate) mod letters;
mod position;
mod refresh;
mod report;
mod run;
pub(crate) mod status;
mod telemetry;
pub(crate) mod wait;
mod whole;

pub use self::builder::Worker;
pub use self::health::WorkerHealth;
pub use self::letters::{DeadLetter, Letters};
pub use self::report::WorkerReport;
pub use self::status::PendingChanges;
pub use self::wait::WaitSynced;
