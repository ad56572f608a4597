//! `Worker`: its settings, and the two ways to run it.

use std::fmt;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};
use sqlx::PgPool;

use crate::error::Result;
use crate::mutation::context::MutationContext;
use crate::schema::Table;
use crate::view::Handle;
use crate::worker::health::WorkerHealth;
use crate::worker::refresh::keep_fresh;
use crate::worker::report::WorkerReport;
use crate::worker::run::{Run, Until};

/// Syncs the documents of changes that were left for later. Of [`ReadModel::worker`](crate::ReadModel::worker).
///
/// It looks for changes, drains a batch of them in one transaction, and looks again: at once if there may be
/// more, after 5 milliseconds while there is something to do, and after up to 40 when there is not.
/// Start as many as you like, in any number of processes: each change is drained by one of them. A worker that is
/// killed leaves nothing behind; the next one drains what it had claimed.
///
/// A document that cannot be written does not stop the others. It is tried again after a second, then after
/// twice as long each time, up to ten minutes; after ten attempts it is a
/// [dead letter](crate::ReadModel::dead_letters). A document that another transaction has locked is left
/// for a moment. A batch waits for a lock for less than PostgreSQL's `deadlock_timeout` of one second, so that in a
/// deadlock it is the worker that gives way, not the application.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # struct Post { id: i64, title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
/// # let blog = ReadModel::builder().view::<Post>().build()?;
/// # blog.migrate(&pool).await?;
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let worker = blog.worker(&pool);
/// let health = worker.health(); // for a readiness endpoint
/// let running = tokio::spawn(worker.run(async { drop(stopped.await) }));
///
/// let mut tx = pool.begin().await?;
/// sqlx::query("INSERT INTO tb_post VALUES (7, 'Notes')").execute(&mut *tx).await?;
/// blog.defer(&mut tx).changed::<Post>(&[7]).await?;
/// let token = SyncToken::current(&mut tx).await?;
/// tx.commit().await?;
/// blog.wait_synced(&pool, token).await?;
/// assert!(Post::find(&pool, 7).await?.is_some());
/// assert!(health.is_alive(std::time::Duration::from_secs(10)));
///
/// stop.send(()).unwrap();
/// let report = running.await??;
/// assert_eq!((report.changes, report.inserted), (1, 1));
/// # Ok(()) }) }
/// ```
#[derive(Clone)]
#[must_use = "a worker does nothing until it is run"]
pub struct Worker {
    queue: Queue,
    health: WorkerHealth,
}

/// What a worker works on.
#[derive(Clone)]
pub(super) struct Queue {
    pub(super) context: Arc<MutationContext>,
    pub(super) pool: PgPool,
    /// In the order in which the function that drains counts them.
    pub(super) views: Arc<[Handle]>,
    pub(super) matviews: Arc<[Handle]>,
    pub(super) settings: Settings,
}

/// The settings of a worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// The changes of a batch.
    pub(super) batch: i32,
    pub(super) min_wait: Duration,
    pub(super) max_wait: Duration,
    pub(super) max_attempts: i32,
}

impl Queue {
    /// The table that an error names: that of the first view, beside which the changes are.
    pub(super) fn table(&self) -> Table {
        self.views.first().map_or(
            Table {
                schema: "public",
                name: "fraiseql_change",
            },
            |view| view.view.table,
        )
    }
}

impl Worker {
    pub(crate) fn new(context: &Arc<MutationContext>, views: &[Handle], pool: &PgPool) -> Self {
        let matviews = views
            .iter()
            .filter(|view| view.statements().matview.is_some());
        Self {
            queue: Queue {
                context: Arc::clone(context),
                pool: pool.clone(),
                views: context.views.clone().into(),
                matviews: matviews.copied().collect(),
                settings: Settings {
                    batch: 500,
                    min_wait: Duration::from_millis(5),
                    max_wait: Duration::from_millis(40),
                    max_attempts: 10,
                },
            },
            health: WorkerHealth::default(),
        }
    }

    /// Sets how many changes a batch has at most. The default is 500. A change is what one statement has
    /// changed in one table, at most 10,000 rows.
    pub fn batch(mut self, changes: u32) -> Self {
        self.queue.settings.batch = i32::try_from(changes.max(1)).unwrap_or(i32::MAX);
        self
    }

    /// Sets how long the worker waits before it looks again: the shortest time, after a batch, and the
    /// longest, when there is nothing to do. The defaults are 5 and 40 milliseconds. A look reads an index; a
    /// worker that may be a second behind can wait as long.
    pub fn poll(mut self, min: Duration, max: Duration) -> Self {
        let settings = &mut self.queue.settings;
        settings.min_wait = min.max(Duration::from_millis(1));
        settings.max_wait = max.max(settings.min_wait);
        self
    }

    /// Sets after how many attempts a document that cannot be written is a dead letter. The default is 10,
    /// which takes about ten minutes.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.queue.settings.max_attempts = i32::try_from(attempts.max(1)).unwrap_or(i32::MAX);
        self
    }

    /// Whether the worker is alive, and how far it is behind.
    #[must_use]
    pub fn health(&self) -> WorkerHealth {
        self.health.clone()
    }

    /// Runs until `shutdown` is ready. A batch that has begun is ended first. Dropping the future stops at once, which
    /// is safe, too: the batch is rolled back, and drained by another worker.
    ///
    /// If the database cannot be reached, or a statement fails, the worker tries again, at last every five
    /// seconds: see [`WorkerHealth::last_error`], and the traces.
    ///
    /// # Errors
    /// If the database lacks the table or the functions that [`migrate`](crate::ReadModel::migrate)
    /// creates, or this role may not use them.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<WorkerReport> {
        let run = Run::new(&self.queue, &self.health, Until::Shutdown);
        let refreshes = AtomicU64::new(0);
        let shutdown = pin!(shutdown);
        let draining = pin!(run.run(shutdown));
        let refreshing = pin!(keep_fresh(&self.queue, &self.health, &refreshes));
        match select(draining, refreshing).await {
            Either::Left((report, _)) => report.map(|report| WorkerReport {
                refreshes: refreshes.load(Ordering::Relaxed),
                ..report
            }),
            Either::Right((never, _)) => match never {},
        }
    }

    /// Drains until nothing is pending that was committed before the call, and returns then: for tests
    /// and jobs. It waits for changes that another worker has claimed, for documents that another transaction has
    /// locked, and for full syncs; not for documents that have failed and wait for another attempt.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # struct Post { id: i64, title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
    /// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
    /// # let blog = ReadModel::builder().view::<Post>().build()?;
    /// # blog.migrate(&pool).await?;
    /// let mut tx = pool.begin().await?;
    /// blog.defer(&mut tx).resync::<Post>(&[7]).await?;
    /// tx.commit().await?;
    ///
    /// let report = blog.worker(&pool).drain().await?;
    /// assert_eq!((report.changes, report.inserted, report.dead), (1, 1, 0));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// The first error of the database.
    pub async fn drain(&self) -> Result<WorkerReport> {
        let run = Run::new(&self.queue, &self.health, Until::Drained);
        let never = pin!(pending());
        run.run(never).await
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("settings", &self.queue.settings)
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}
