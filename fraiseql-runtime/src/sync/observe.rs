//! Who is told what a sync does: observers, the log, traces and metrics. The rest of `sync/`
//! calls in here, a line at a time.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::PgConnection;

use crate::error::{Error, Result};
use crate::key::Keys;
use crate::schema::Table;
use crate::sync::log::SyncLog;
use crate::sync::report::SyncReport;
use crate::sync::run::Place;
use crate::sync::target::SyncTarget;
use crate::sync::{Request, telemetry};
use crate::view::Handle;

/// What a target was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// To sync some keys: `sync_post`.
    Sync,
    /// To delete some documents: `delete_post`.
    Delete,
    /// To sync every key there is: `sync_all_posts`.
    Full,
}

impl Mode {
    /// Its name in logs, traces and metrics: `sync`, `delete` or `full`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Delete => "delete",
            Self::Full => "full",
        }
    }

    /// The mode of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Sync, Self::Delete, Self::Full]
            .into_iter()
            .find(|mode| mode.as_str() == name)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Is told of each batch, once it is written or has failed.
///
/// A batch is what one statement writes: up to 500 documents of one view. Observers are added
/// with [`ReadModelBuilder::observe`](crate::ReadModelBuilder::observe), and are told of what
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
/// use fraiseql_runtime::{BatchEvent, ReadModel, Recorder};
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

/// Who is told, beside traces and metrics.
#[derive(Clone, Default)]
pub struct Watchers {
    pub(crate) observers: Vec<Arc<dyn SyncObserver>>,
    pub(crate) log: Option<SyncLog>,
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers")
            .field("observers", &self.observers.len())
            .field("log", &self.log)
            .finish()
    }
}

/// The watchers of one call.
#[derive(Debug)]
pub struct Watch<'a> {
    watchers: &'a Watchers,
    /// Whether they were told of the error that the call will end with.
    told: AtomicBool,
}

pub(crate) static NOBODY: Watchers = Watchers {
    observers: Vec::new(),
    log: None,
};

/// Runs a request on its target, in a span of its own. Every call comes through here.
pub(crate) async fn call(target: impl SyncTarget, request: Request<'_>) -> Result<SyncReport> {
    let (view, mode, keys) = request.summary();
    let watch = Watch::new(&NOBODY);
    let work = async {
        let result = target.run(request, &watch).await;
        if let Err(error) = &result {
            telemetry::failed(view, mode, error);
        }
        result
    };
    telemetry::in_span(view, mode, keys, work).await
}

/// Both: in a span, and watched.
pub(crate) async fn told(
    target: impl SyncTarget,
    watchers: &Watchers,
    request: Request<'_>,
) -> Result<SyncReport> {
    let (view, mode, keys) = request.summary();
    let work = async {
        let result = watched(target, watchers, request).await;
        if let Err(error) = &result {
            telemetry::failed(view, mode, error);
        }
        result
    };
    telemetry::in_span(view, mode, keys, work).await
}

/// Runs a request on a target that is watched.
pub(crate) async fn watched(
    target: impl SyncTarget,
    watchers: &Watchers,
    request: Request<'_>,
) -> Result<SyncReport> {
    let (view, mode, _) = request.summary();
    let watch = Watch::new(watchers);
    let start = Instant::now();
    let result = target.run(request, &watch).await;
    if let Err(error) = &result
        && !watch.told.load(Ordering::Relaxed)
    {
        let event = BatchEvent {
            entity: view.view.entity,
            view: view.view.table,
            mode,
            keys: &view.no_keys(),
            result: Err(error),
            duration: start.elapsed(),
            retries: 0,
        };
        watch.tell(&event);
        watch.log_failure(&event).await;
    }
    result
}

impl<'a> Watch<'a> {
    pub(crate) fn new(watchers: &'a Watchers) -> Self {
        Self {
            watchers,
            told: AtomicBool::new(false),
        }
    }

    /// Tells the observers.
    fn tell(&self, event: &BatchEvent<'_>) {
        if event.result.is_err() {
            self.told.store(true, Ordering::Relaxed);
        }
        for observer in &self.watchers.observers {
            observer.batch(event);
        }
    }

    async fn log_failure(&self, event: &BatchEvent<'_>) {
        if let Some(log) = &self.watchers.log {
            self.logged(log.failure(event).await);
        }
    }

    /// A failing log is told, and fails nothing.
    fn logged(&self, result: Result<()>) {
        if let Err(error) = result {
            telemetry::log_failed(&error);
            for observer in &self.watchers.observers {
                observer.log_failed(&error);
            }
        }
    }
}

/// A batch that has begun.
#[derive(Debug)]
pub(crate) struct Started<'a> {
    watch: &'a Watch<'a>,
    view: Handle,
    mode: Mode,
    keys: &'a Keys,
    start: Instant,
}

impl<'a> Started<'a> {
    pub(crate) fn now(watch: &'a Watch<'_>, view: Handle, mode: Mode, keys: &'a Keys) -> Self {
        Self {
            watch,
            view,
            mode,
            keys,
            start: Instant::now(),
        }
    }

    /// It is over: all are told, and the log gets its row.
    pub(crate) async fn end(
        self,
        result: Result<SyncReport>,
        retries: u32,
        connection: &mut PgConnection,
        place: Place,
    ) -> Result<SyncReport> {
        let watch = self.watch;
        let result = self.timed(result);
        let event = self.event(&result, retries);
        telemetry::batch(&event);
        watch.tell(&event);
        match (&watch.watchers.log, event.result) {
            (Some(log), Ok(report)) => {
                watch.logged(log.success(&event, report, connection, place).await);
            }
            (Some(_), Err(_)) => watch.log_failure(&event).await,
            (None, _) => {}
        }
        result
    }

    /// It is over, on a target that has no database.
    pub(crate) fn end_unlogged(self, result: Result<SyncReport>) -> Result<SyncReport> {
        let result = self.timed(result);
        let event = self.event(&result, 0);
        telemetry::batch(&event);
        self.watch.tell(&event);
        result
    }

    fn timed(&self, mut result: Result<SyncReport>) -> Result<SyncReport> {
        if let Ok(report) = &mut result {
            report.duration = self.start.elapsed();
        }
        result
    }

    fn event<'e>(&self, result: &'e Result<SyncReport>, retries: u32) -> BatchEvent<'e>
    where
        'a: 'e,
    {
        BatchEvent {
            entity: self.view.view.entity,
            view: self.view.view.table,
            mode: self.mode,
            keys: self.keys,
            result: result.as_ref(),
            duration: match result {
                Ok(report) => report.duration,
                Err(_) => self.start.elapsed(),
            },
            retries,
        }
    }
}

/// A target whose batches are told to the observers and the log of a read model; see
/// [`ReadModel::on`](crate::ReadModel::on).
///
/// It can be used where its target can; of nested ones, the innermost is told. One that holds a
/// `PgPool` or a [`Recorder`](crate::Recorder) by value can be used by reference, many times.
#[derive(Clone, Debug)]
pub struct Observed<T> {
    target: T,
    watchers: Arc<Watchers>,
}

impl<T> Observed<T> {
    pub(crate) fn new(target: T, watchers: Arc<Watchers>) -> Self {
        Self { target, watchers }
    }

    /// The target, and who watches it.
    pub(crate) fn parts(&self) -> (&T, &Watchers) {
        (&self.target, &self.watchers)
    }

    pub(crate) fn into_parts(self) -> (T, Arc<Watchers>) {
        (self.target, self.watchers)
    }

    /// The target itself.
    pub fn into_inner(self) -> T {
        self.target
    }
}

impl<T: SyncTarget> SyncTarget for Observed<T> {
    async fn run(self, request: Request<'_>, _: &Watch<'_>) -> Result<SyncReport> {
        watched(self.target, &self.watchers, request).await
    }
}

impl<'a, T: Sync> SyncTarget for &'a Observed<T>
where
    &'a T: SyncTarget,
{
    // Not an `async fn`: that one would hold `self`, whose `Send` is known for this lifetime only.
    fn run(
        self,
        request: Request<'_>,
        _: &Watch<'_>,
    ) -> impl Future<Output = Result<SyncReport>> + Send {
        watched(&self.target, &self.watchers, request)
    }
}
