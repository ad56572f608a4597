//! What observers are given: one event for each batch.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::schema::Table;
use crate::schema::key::Keys;
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;

/// Is told of each batch, once it is written or has failed.
///
/// A batch is what one statement writes: up to 500 documents of one view. Observers are added
/// with [`ReadModelBuilder::observe`](crate::model::ReadModelBuilder::observe), and are told of what
/// runs on [`ReadModel::on`](crate::ReadModel::on). They are called where the sync runs, so they
/// should be quick.
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
    /// A batch is written, or has failed for good.
    ///
    /// Inside the caller's transaction it is written, not committed. A call that fails outside
    /// of a batch, for instance because no connection could be had, is told with no keys.
    fn batch(&self, batch: &BatchEvent<'_>) {
        let _ = batch;
    }

    /// The log could not be written or pruned. The sync itself went on.
    fn log_failed(&self, error: &Error) {
        let _ = error;
    }
}

impl<F: Fn(&BatchEvent<'_>) + Send + Sync> SyncObserver for F {
    fn batch(&self, batch: &BatchEvent<'_>) {
        self(batch);
    }
}

/// A batch that is over.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BatchEvent<'a> {
    /// The view's entity: `post`.
    pub entity: &'static str,
    /// The view table.
    pub view: Table,
    /// What was asked for.
    pub mode: Mode,
    /// The keys of the batch, in order. [`Keys::len`] counts them.
    pub keys: &'a Keys,
    /// What was done, or why not.
    pub result: Result<&'a SyncReport, &'a Error>,
    /// The time the batch took, with its retries.
    pub duration: Duration,
    /// How often it, or a part of it, was run again after a deadlock or a serialization failure.
    pub retries: u32,
}
