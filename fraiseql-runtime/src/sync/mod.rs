//! Sync: make the documents of some keys equal to the base tables.
//!
//! | module | |
//! |---|---|
//! | [`request`] | what a target is asked to do |
//! | [`target`] | where it can run |
//! | `run` | the entry points, with spans and observers |
//! | `session` | a connection with its scope: batches, retries, savepoints |
//! | `protocol` | the statements of one batch, and what follows from their answers |
//! | `part` | replaces an embedded part in place |
//! | `invalid` | leaves out and reports documents that cannot be written |
//! | [`full`] | a whole view, chunk by chunk |
//! | [`report`] | what was done |
//! | [`event`], `watch`, [`observed`] | observers of batches |
//! | [`log`] | the table of batches |
//! | `telemetry` | traces and metrics |

pub mod event;
pub mod full;
pub(crate) mod invalid;
pub mod log;
pub mod observed;
pub(crate) mod part;
pub(crate) mod protocol;
pub mod report;
pub mod request;
pub(crate) mod run;
pub(crate) mod session;
pub mod target;
pub(crate) mod telemetry;
pub mod watch;

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
use crate::sync::request::Request;
use crate::view::ViewDef;

/// Makes the documents of `keys` equal to the base tables: builds those whose row exists,
/// skips those that are equal already, deletes those whose row is gone.
///
/// This is what `sync_post` calls; see [`SyncTarget`] for what each target promises.
///
/// A document that cannot be written, because a value in it cannot be represented, is listed
/// in [`SyncReport::invalid`]; all others are written.
///
/// # Errors
/// When the database refuses a statement. Then nothing of the failing batch is written.
pub async fn sync<V: ViewDef>(
    target: impl SyncTarget,
    keys: &[V::DocumentKey],
) -> Result<SyncReport> {
    let request = Request::Sync {
        view: V::handle(),
        keys: Keys::of(keys),
    };
    run::run(target, request).await
}

/// Deletes the documents of `keys`, whether or not their rows still exist.
///
/// This is what `delete_post` calls. After a row was deleted, `sync_post` does the same, and
/// cannot delete too much.
///
/// # Errors
/// When the database refuses the statement.
pub async fn delete<V: ViewDef>(
    target: impl SyncTarget,
    keys: &[V::DocumentKey],
) -> Result<SyncReport> {
    let request = Request::Delete {
        view: V::handle(),
        keys: Keys::of(keys),
    };
    run::run(target, request).await
}
