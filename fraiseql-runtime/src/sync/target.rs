//! Where a sync can run.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use sqlx::pool::PoolConnection;
use sqlx::{Executor, PgConnection, PgPool, Postgres, Transaction};

use crate::error::{Error, Result};
use crate::key::Keys;
use crate::lease::Lease;
use crate::mutex::lock;
use crate::sql::part::PartSql;
use crate::sync::observe::{Mode, Watch};
use crate::sync::report::SyncReport;
use crate::sync::run::Place;
use crate::sync::{Request, full, invalid, observe, part, run, telemetry};
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
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
/// # migrate::<Post>(&pool).await;
/// let mut tx = pool.begin().await?;
/// sqlx::query("INSERT INTO tb_post VALUES (7, 'Notes')").execute(&mut *tx).await?;
/// sync_post(&mut tx, &[7]).await?; // with the commit ..
/// tx.commit().await?;
/// # assert!(Post::find(&pool, 7).await?.is_some());
///
/// sqlx::query("DELETE FROM tb_post WHERE id = 7").execute(&pool).await?;
/// let report = sync_post(&pool, &[7]).await?; // .. or after it
/// assert_eq!(report.deleted, 1);
/// # Ok(()) }) }
/// ```
///
/// Inside a transaction the locks are held until it ends: sync last, just before the commit.
/// REPEATABLE READ is refused, because it would lose concurrent changes in silence. If the future
/// of a sync is dropped before it is ready, roll the transaction back: what it has written so far
/// is not the whole.
///
/// Code that is generic over the target can be tested without a database. A function takes
/// `target: impl SyncTarget`. A service that syncs many times holds an `S` where
/// `for<'a> &'a S: SyncTarget`, which `PgPool`, `Recorder` and `Observed<PgPool>` are; see
/// [`Recorder`](crate::Recorder) for one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a target of a sync",
    label = "expected `&PgPool`, `&mut PgConnection` or `&mut Transaction`",
    note = "a pool is passed as `&pool`, a transaction as `&mut tx`, a recorder as `&recorder`"
)]
pub trait SyncTarget: Send {
    #[doc(hidden)]
    fn run(
        self,
        request: Request<'_>,
        watch: &Watch<'_>,
    ) -> impl Future<Output = Result<SyncReport>> + Send;
}

/// What is done with the keys of a batch.
#[derive(Clone, Copy)]
enum Step {
    /// Their documents are written.
    Write,
    /// They are written after this statement has emptied their unique columns.
    Exchange(&'static str),
    /// They are deleted.
    Delete,
}

/// A connection, and how batches are run on it.
pub(crate) struct Session<'c> {
    connection: &'c mut PgConnection,
    place: Place,
    mode: Mode,
    watch: &'c Watch<'c>,
    /// How often something of this batch was run again.
    retries: u32,
    /// Those who do the same work, each with other keys.
    friends: Friends,
}

/// The backends of sessions that share the keys of one run between them. What one of them
/// skips, no other is about to write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Friends(Arc<Mutex<Vec<i32>>>);

impl Friends {
    fn all(&self) -> Vec<i32> {
        lock(&self.0).clone()
    }

    /// The backend of `connection` becomes one of them.
    pub(crate) async fn join(&self, connection: &mut PgConnection) -> Result<()> {
        let backend = sqlx::query_scalar("SELECT pg_catalog.pg_backend_pid()")
            .fetch_one(connection)
            .await
            .map_err(Error::database("asking for the backend that syncs"))?;
        lock(&self.0).push(backend);
        Ok(())
    }
}

impl<'c> Session<'c> {
    /// Each batch is a transaction of its own: after the commit.
    pub(crate) fn own(connection: &'c mut PgConnection, mode: Mode, watch: &'c Watch<'_>) -> Self {
        Self::new(connection, Place::Own, mode, watch)
    }

    /// In the caller's transaction.
    pub(crate) fn callers(
        connection: &'c mut PgConnection,
        mode: Mode,
        watch: &'c Watch<'_>,
    ) -> Self {
        Self::new(connection, Place::Callers, mode, watch)
    }

    fn new(
        connection: &'c mut PgConnection,
        place: Place,
        mode: Mode,
        watch: &'c Watch<'_>,
    ) -> Self {
        Self {
            connection,
            place,
            mode,
            watch,
            retries: 0,
            friends: Friends::default(),
        }
    }

    /// Shares the work with others.
    pub(crate) fn with(mut self, friends: Friends) -> Self {
        self.friends = friends;
        self
    }

    /// Syncs the documents of at most [`BATCH`] keys, or deletes them. Those that cannot be
    /// written are reported.
    pub(crate) async fn batch(&mut self, view: Handle, keys: &Keys) -> Result<SyncReport> {
        let batch = observe::Started::now(self.watch, view, self.mode, keys);
        self.retries = 0;
        let result = match self.mode {
            Mode::Delete => self.step(view, keys, Step::Delete).await,
            Mode::Sync | Mode::Full => invalid::sync(self, view, keys).await,
        };
        batch
            .end(result, self.retries, self.connection, self.place)
            .await
    }

    /// Puts rows of a part into documents; those that are not as they should be for that are
    /// built.
    async fn replace(
        &mut self,
        view: Handle,
        part: &'static PartSql,
        rows: &Keys,
        keys: &Keys,
    ) -> Result<SyncReport> {
        let batch = observe::Started::now(self.watch, view, self.mode, keys);
        self.retries = 0;
        let work = async |session: &mut Self| {
            let replaced = session.guarded(async |connection, _| {
                part::replace(connection, view, part, rows, keys).await
            });
            let (mut report, rest) = match replaced.await {
                // Which value it is about is found when the documents are built.
                Err(error) if error.is_about_values() => (SyncReport::default(), keys.clone()),
                result => result?,
            };
            for keys in rest.chunks(BATCH) {
                report += invalid::sync(session, view, &keys).await?;
            }
            Ok(report)
        };
        let result = work(self).await;
        batch
            .end(result, self.retries, self.connection, self.place)
            .await
    }

    /// Syncs the documents of at most [`BATCH`] keys, all or none.
    pub(crate) async fn attempt(&mut self, view: Handle, keys: &Keys) -> Result<SyncReport> {
        self.step(view, keys, Step::Write).await
    }

    /// The same where documents of the batch may have taken each other's unique values.
    pub(crate) async fn exchange(
        &mut self,
        view: Handle,
        keys: &Keys,
        clear: &'static str,
    ) -> Result<SyncReport> {
        self.step(view, keys, Step::Exchange(clear)).await
    }

    /// Runs a step of a batch, and runs it again after a deadlock or a serialization failure
    /// where the transaction is our own.
    async fn step(&mut self, view: Handle, keys: &Keys, step: Step) -> Result<SyncReport> {
        let mut retry = 0;
        let friends = self.friends.all();
        let friends = &friends;
        loop {
            let work = async |connection: &mut PgConnection, place| match (step, place) {
                (Step::Write, Place::Own) => run::guarded(connection, view, keys, friends).await,
                (Step::Write, Place::Callers) => run::in_transaction(connection, view, keys).await,
                (Step::Exchange(clear), _) => {
                    run::exchanging(connection, view, keys, clear, place).await
                }
                (Step::Delete, _) => Ok(SyncReport {
                    deleted: run::delete(connection, view, keys).await?,
                    ..SyncReport::default()
                }),
            };
            match self.guarded(work).await {
                Err(error)
                    if self.place == Place::Own && error.is_retryable() && retry < RETRIES =>
                {
                    retry += 1;
                    self.retries += 1;
                    telemetry::retrying(view, retry, &error);
                }
                result => return result,
            }
        }
    }

    /// Runs something after whose failure the caller's transaction can go on.
    pub(crate) async fn guarded<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection, Place) -> Result<T>,
    ) -> Result<T> {
        if self.place == Place::Callers && !begin_savepoint(self.connection).await? {
            // The connection is in no transaction, where locks would not outlive their
            // statement.
            self.place = Place::Own;
        }
        let result = work(self.connection, self.place).await;
        match self.place {
            Place::Own => result,
            Place::Callers => end_savepoint(self.connection, result).await,
        }
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        self.connection
    }

    async fn run(&mut self, request: Request<'_>) -> Result<SyncReport> {
        let start = Instant::now();
        let mut report = SyncReport::default();
        match request {
            Request::Sync { view, keys } if keys.is_empty() && self.place == Place::Callers => {
                run::announce(self.connection, view).await?;
            }
            Request::Sync { view, keys } | Request::Delete { view, keys } => {
                for chunk in keys.chunks(BATCH) {
                    report += self.batch(view, &chunk).await?;
                }
            }
            Request::Replace {
                view,
                part,
                rows,
                keys,
            } => {
                for chunk in keys.chunks(part::BATCH) {
                    report += self.replace(view, part, &rows, &chunk).await?;
                }
            }
            Request::Full { view, settings } => {
                report = full::on_connection(self, view, settings).await?;
            }
        }
        report.duration = start.elapsed();
        Ok(report)
    }
}

/// A place in the caller's transaction to come back to.
const SAVEPOINT: &str = "SAVEPOINT fraiseql_sync";
const RELEASE: &str = "RELEASE SAVEPOINT fraiseql_sync";
pub(crate) const ROLL_BACK: &str =
    "ROLLBACK TO SAVEPOINT fraiseql_sync; RELEASE SAVEPOINT fraiseql_sync";

/// Runs something after whose failure the caller's transaction, if there is one, can go on.
pub(crate) async fn in_savepoint<T>(
    connection: &mut PgConnection,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    let is_kept = begin_savepoint(connection).await?;
    let result = work(connection).await;
    if is_kept {
        end_savepoint(connection, result).await
    } else {
        result
    }
}

/// Keeps a savepoint. False where there is no transaction.
pub(crate) async fn begin_savepoint(connection: &mut PgConnection) -> Result<bool> {
    let Err(error) = connection.execute(SAVEPOINT).await else {
        return Ok(true);
    };
    let code = error.as_database_error().and_then(|error| error.code());
    if code.as_deref() == Some("25P01") {
        return Ok(false);
    }
    Err(savepoint_failed()(error))
}

/// Forgets the savepoint, or goes back to it after a failure.
async fn end_savepoint<T>(connection: &mut PgConnection, result: Result<T>) -> Result<T> {
    let end = match &result {
        Ok(_) => RELEASE,
        Err(_) => ROLL_BACK,
    };
    match (result, connection.execute(end).await) {
        (Ok(value), Ok(_)) => Ok(value),
        (Ok(_), Err(error)) => Err(savepoint_failed()(error)),
        // Where the way back fails too, the reason is the first error.
        (Err(error), _) => Err(error),
    }
}

/// Goes back to the savepoint, and forgets it: what was set since is as it was before.
pub(crate) async fn undo_savepoint(connection: &mut PgConnection) -> Result<()> {
    connection
        .execute(ROLL_BACK)
        .await
        .map_err(savepoint_failed())?;
    Ok(())
}

fn savepoint_failed() -> impl FnOnce(sqlx::Error) -> Error {
    Error::database("keeping a savepoint to sync")
}

impl SyncTarget for &PgPool {
    async fn run(self, request: Request<'_>, watch: &Watch<'_>) -> Result<SyncReport> {
        if let Request::Sync { keys, .. } | Request::Delete { keys, .. } = &request
            && keys.is_empty()
        {
            return Ok(SyncReport::default());
        }
        if let Request::Full { view, settings } = request {
            return full::on_pool(self, view, settings, watch).await;
        }
        let mut connection = Lease::of(self, "acquiring a connection to sync").await?;
        let mode = request.mode();
        let result = Session::own(&mut connection, mode, watch)
            .run(request)
            .await;
        connection.give_back();
        result
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
