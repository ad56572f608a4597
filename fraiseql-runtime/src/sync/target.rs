//! Where a sync can run.

use std::future::Future;
use std::time::Instant;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::error::Result;
use crate::key::Keys;
use crate::sync::observe::{Mode, Watch};
use crate::sync::report::SyncReport;
use crate::sync::run::Place;
use crate::sync::{Request, full, observe, run};
use crate::view::Handle;

/// The most documents that one statement builds. It bounds the memory of a batch, and more
/// at once is not faster.
pub(crate) const BATCH: usize = 500;
/// How often a batch is run again after a deadlock or a serialization failure.
const RETRIES: u32 = 5;

/// Where a sync can run.
///
/// | target | when | what it does |
/// |---|---|---|
/// | `&PgPool` | after the writer's commit | one guarded statement for each 500 documents, each its own transaction; what another sync wrote meanwhile is built once more. Deadlocks and serialization failures are retried |
/// | `&mut PgConnection`, `&mut Transaction`, `&mut PoolConnection` | inside the writer's transaction | locks what the documents are made of, then builds and writes them; all of it becomes visible with the writer's own changes, or not at all |
/// | `&Recorder` | in a unit test | records the call: [`Recorder`](crate::Recorder) |
/// | `blog.on(target)` | any of these | the same, told to the observers and the log of a read model: [`ReadModel::on`](crate::ReadModel::on) |
///
/// Inside a transaction the locks are held until it ends: sync last, just before the commit.
/// REPEATABLE READ is refused, because it would lose concurrent changes in silence.
///
/// Code that is generic over the target can be tested without a database. A function takes
/// `target: impl SyncTarget`. A service that syncs many times holds an `S` where
/// `for<'a> &'a S: SyncTarget`, which `PgPool`, `Recorder` and `Observed<PgPool>` are; see
/// [`Recorder`](crate::Recorder) for one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a target of a sync",
    label = "expected `&PgPool`, `&mut PgConnection` or `&mut Transaction`",
    note = "a pool is passed as `&pool`, a transaction as `&mut tx`"
)]
pub trait SyncTarget: Send {
    #[doc(hidden)]
    fn run(
        self,
        request: Request<'_>,
        watch: &Watch<'_>,
    ) -> impl Future<Output = Result<SyncReport>> + Send;
}

/// A connection, and how batches are run on it.
pub(crate) struct Session<'c> {
    connection: &'c mut PgConnection,
    place: Place,
    mode: Mode,
    watch: &'c Watch<'c>,
}

impl<'c> Session<'c> {
    /// Each batch is a transaction of its own: after the commit.
    pub(crate) fn own(connection: &'c mut PgConnection, mode: Mode, watch: &'c Watch<'_>) -> Self {
        Self {
            connection,
            place: Place::Own,
            mode,
            watch,
        }
    }

    /// In the caller's transaction.
    fn callers(connection: &'c mut PgConnection, mode: Mode, watch: &'c Watch<'_>) -> Self {
        Self {
            connection,
            place: Place::Callers,
            mode,
            watch,
        }
    }

    /// Syncs, or deletes, the documents of at most [`BATCH`] keys.
    pub(crate) async fn batch(&mut self, view: Handle, keys: &Keys) -> Result<SyncReport> {
        let mut batch = observe::Started::now(self.watch, view, self.mode, keys);
        let result = loop {
            match self.attempt(view, keys).await {
                Err(error)
                    if self.place == Place::Own
                        && error.is_retryable()
                        && batch.retries < RETRIES =>
                {
                    batch.retry(&error);
                }
                result => break result,
            }
        };
        batch.end(result, self.connection, self.place).await
    }

    async fn attempt(&mut self, view: Handle, keys: &Keys) -> Result<SyncReport> {
        let connection = &mut *self.connection;
        match (self.mode, self.place) {
            (Mode::Delete, _) => Ok(SyncReport {
                deleted: run::delete(connection, view, keys).await?,
                ..SyncReport::default()
            }),
            (_, Place::Own) => run::guarded(connection, view, keys).await,
            (_, Place::Callers) => run::in_transaction(connection, view, keys).await,
        }
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        self.connection
    }

    async fn run(&mut self, request: Request<'_>) -> Result<SyncReport> {
        let start = Instant::now();
        let mut report = SyncReport::default();
        match request {
            Request::Sync { view, keys } | Request::Delete { view, keys } => {
                for chunk in keys.chunks(BATCH) {
                    report += self.batch(view, &chunk).await?;
                }
            }
            Request::Full {
                view,
                chunk,
                progress,
            } => report = full::run(self, view, chunk, progress).await?,
        }
        report.duration = start.elapsed();
        Ok(report)
    }
}

impl SyncTarget for &PgPool {
    async fn run(self, request: Request<'_>, watch: &Watch<'_>) -> Result<SyncReport> {
        if let Request::Sync { keys, .. } | Request::Delete { keys, .. } = &request
            && keys.is_empty()
        {
            return Ok(SyncReport::default());
        }
        let mut connection = self
            .acquire()
            .await
            .map_err(crate::Error::database("acquiring a connection to sync"))?;
        let mode = request.mode();
        Session::own(&mut connection, mode, watch)
            .run(request)
            .await
    }
}

impl SyncTarget for &mut PgConnection {
    async fn run(self, request: Request<'_>, watch: &Watch<'_>) -> Result<SyncReport> {
        let mode = request.mode();
        Session::callers(self, mode, watch).run(request).await
    }
}

impl SyncTarget for &mut Transaction<'_, Postgres> {
    async fn run(self, request: Request<'_>, watch: &Watch<'_>) -> Result<SyncReport> {
        let mode = request.mode();
        Session::callers(self, mode, watch).run(request).await
    }
}

impl SyncTarget for &mut PoolConnection<Postgres> {
    async fn run(self, request: Request<'_>, watch: &Watch<'_>) -> Result<SyncReport> {
        let mode = request.mode();
        Session::callers(self, mode, watch).run(request).await
    }
}
