//! Events that observers receive: one for each batch.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::schema::Table;
use crate::schema::key::Keys;
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;

/// Receives an event for each batch, once it is written or has failed.
///
/// A batch has the documents that one statement writes: up to 500 of one view. Observers are added
/// with [`ReadModelBuilder::observe`](crate::model::ReadModelBuilder::observe), and receive the batches
/// of calls on [`ReadModel::on`](crate::ReadModel::on). They are called by the task that syncs, which
/// waits for them, so they should be quick.
///
/// A closure is an observer too:
///
/// ```
/// # #[derive(fraiseql_runtime::TView)]
/// # struct Post { id: i64 }
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use fraiseql_runtime::sync::BatchEvent;
/// use fraiseql_runtime::{ReadModel, Recorder};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> fraiseql_runtime::Result<()> {
/// let failures = Arc::new(AtomicUsize::new(0));
/// let counter = Arc::clone(&failures);
/// let blog = ReadModel::builder()
///     .view::<Post>()
///     .observe(move |batch: &BatchEvent<'_>| {
///         if let Err(error) = batch.result {
///             counter.fetch_add(1, Ordering::Relaxed);
///             eprintln!("{} {} of {}: {error}", batch.mode, batch.entity, batch.keys);
///         }
///     })
///     .build()?;
///
/// let recorder = Recorder::new();
/// recorder.fail_next(fraiseql_runtime::Failure::Deadlock);
/// assert!(sync_post(blog.on(&recorder), &[7]).await.is_err());
/// assert_eq!(failures.load(Ordering::Relaxed), 1);
/// # Ok(()) }
/// ```
pub trait SyncObserver: Send + Sync {
    /// Called when a batch is written, or has failed and is not retried.
    ///
    /// In the caller's transaction the batch is written, but not committed. A call that fails outside
    /// of a batch, for instance because no connection could be acquired, is an event without keys.
    fn batch(&self, batch: &BatchEvent<'_>) {
        let _ = batch;
    }

    /// Called when the log could not be written or pruned. The sync itself does not fail.
    fn log_failed(&self, error: &Error) {
        let _ = error;
    }
}

impl<F: Fn(&BatchEvent<'_>) + Send + Sync> SyncObserver for F {
    fn batch(&self, batch: &BatchEvent<'_>) {
        self(batch);
    }
}

/// A batch that was written or has failed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BatchEvent<'a> {
    /// The view's entity: `post`.
    pub entity: &'static str,
    /// The view table.
    pub view: Table,
    /// Which function requested it.
    pub mode: Mode,
    /// The keys of the batch, in order. [`Keys::len`] is their number.
    pub keys: &'a Keys,
    /// What was done, or the error.
    pub result: Result<&'a SyncReport, &'a Error>,
    /// The time the batch took, with its retries.
    pub duration: Duration,
    /// How often the batch, or some of its statements, were retried after a deadlock or a
    /// serialization failure.
    pub retries: u32,
}
