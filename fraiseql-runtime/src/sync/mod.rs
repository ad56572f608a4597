//! Sync: make the documents of some keys equal to the base tables.
//!
//! | module | |
//! |---|---|
//! | `request` | requests to a target |
//! | `run` | entry points: a request runs on its target, in a span, with observers |
//! | `target` | sync targets: pools, connections, transactions |
//! | `dispatch` | runs a request on a session, in batches |
//! | `full` | full sync of a view, chunk by chunk |
//! | `batch` | one batch: observed, logged, without invalid documents |
//! | `invalid` | finds and describes invalid documents |
//! | `session` | a connection with its scope, and the retries of a batch |
//! | `peers` | the transactions that work on one full sync together |
//! | `protocol` | the protocols by which a batch is written without losing a concurrent change |
//! | `part` | replaces a part in documents, without building them |
//! | `finished` | batches that a function of the database has written |
//! | `report` | report of a sync |
//! | `event`, `watch`, `observed` | observers of batches |
//! | `log` | the sync log, a table with a row for each batch |
//! | `telemetry` | traces and metrics |

pub(crate) mod batch;
mod dispatch;
pub(crate) mod event;
mod failing_field;
pub(crate) mod finished;
pub(crate) mod full;
pub(crate) mod invalid;
pub(crate) mod log;
pub(crate) mod observed;
pub(crate) mod part;
mod peers;
mod protocol;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod target;
pub(crate) mod telemetry;
pub(crate) mod watch;

pub use self::event::{BatchEvent, SyncObserver};
pub use self::full::FullSync;
pub use self::full::progress::Progress;
pub use self::log::{LogEntry, SyncLog};
pub use self::observed::Observed;
pub use self::report::SyncReport;
pub use self::request::Mode;
pub use self::target::SyncTarget;
#[cfg(feature = "metrics")]
pub use crate::db::metrics::describe_metrics;
use crate::error::Result;
pub use crate::error::invalid_document::InvalidDocument;
use crate::schema::key::Keys;
pub use crate::schema::position::Position;
use crate::sync::request::SyncRequest;
use crate::view::ViewDef;

/// Makes the documents of `keys` equal to the base tables: inserts or updates those whose row
/// exists, skips those that are equal already, deletes those whose row is gone.
///
/// This is what `sync_post` calls; see [`SyncTarget`] for what each target guarantees.
///
/// A document that cannot be written, because a value in it cannot be represented, is listed
/// in [`SyncReport::invalid`]; all others are written.
///
/// # Errors
/// If the database refuses a statement. Then nothing of the failing batch is written.
pub async fn sync<V: ViewDef>(
    target: impl SyncTarget,
    keys: &[V::DocumentKey],
) -> Result<SyncReport> {
    let request = SyncRequest::Sync {
        view: V::handle(),
        keys: Keys::of(keys),
    };
    run::run(target, request).await
}

/// Deletes the documents of `keys`, whether or not their rows still exist.
///
/// This is what `delete_post` calls. After a row was deleted, prefer `sync_post`: it deletes the
/// document only if the row is really gone.
///
/// # Errors
/// If the database refuses the statement.
pub async fn delete<V: ViewDef>(
    target: impl SyncTarget,
    keys: &[V::DocumentKey],
) -> Result<SyncReport> {
    let request = SyncRequest::Delete {
        view: V::handle(),
        keys: Keys::of(keys),
    };
    run::run(target, request).await
}
