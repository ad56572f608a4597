//! Where a sync can run.

use std::future::Future;
use std::time::Instant;

use sqlx::pool::PoolConnection;
use sqlx::{Executor, PgConnection, PgPool, Postgres, Transaction};

use crate::error::{Error, Result};
use crate::key::Keys;
use crate::sync::report::SyncReport;
use crate::sync::{Request, full, invalid, run};
use crate::view::Handle;

/// The most documents that one statement builds. It bounds the memory of a batch, and more
/// at once is not faster.
pub(crate) const BATCH: usize = 500;

/// Where a sync can run.
///
/// | target | when | what it does |
/// |---|---|---|
/// | `&PgPool` | after the writer's commit | one guarded statement for each 500 documents, each its own transaction; what another sync wrote meanwhile is built once more. Deadlocks and serialization failures are retried |
/// | `&mut PgConnection`, `&mut Transaction`, `&mut PoolConnection` | inside the writer's transaction | locks what the documents are made of, then builds and writes them; all of it becomes visible with the writer's own changes, or not at all |
///
/// Inside a transaction the locks are held until it ends: sync last, just before the commit.
/// REPEATABLE READ is refused, because it would lose concurrent changes in silence.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a target of a sync",
    label = "expected `&PgPool`, `&mut PgConnection` or `&mut Transaction`",
    note = "a pool is passed as `&pool`, a transaction as `&mut tx`"
)]
pub trait SyncTarget: Send {
    #[doc(hidden)]
    fn run(self, request: Request<'_>) -> impl Future<Output = Result<SyncReport>> + Send;
}

/// A connection, and how a batch is run on it.
pub(crate) enum Session<'c> {
    /// The statement's own transaction: after the commit.
    Own(&'c mut PgConnection),
    /// The caller's transaction.
    Callers(&'c mut PgConnection),
}

/// A place in the caller's transaction to come back to.
const SAVEPOINT: &str = "SAVEPOINT fraiseql_sync";
const RELEASE: &str = "RELEASE SAVEPOINT fraiseql_sync";
const ROLL_BACK: &str = "ROLLBACK TO SAVEPOINT fraiseql_sync; RELEASE SAVEPOINT fraiseql_sync";

impl Session<'_> {
    /// Syncs the documents of at most [`BATCH`] keys; those that cannot be written are
    /// reported.
    pub(crate) async fn batch(&mut self, view: Handle, keys: &Keys) -> Result<SyncReport> {
        invalid::sync(self, view, keys).await
    }

    /// The same where documents of the batch may have taken each other's unique values.
    pub(crate) async fn exchange(
        &mut self,
        view: Handle,
        keys: &Keys,
        clear: &'static str,
    ) -> Result<SyncReport> {
        let place = match self {
            Self::Own(_) => run::Place::Own,
            Self::Callers(_) => run::Place::Callers,
        };
        self.guarded(async |connection| run::exchanging(connection, view, keys, clear, place).await)
            .await
    }

    /// Syncs the documents of at most [`BATCH`] keys, all or none.
    pub(crate) async fn attempt(&mut self, view: Handle, keys: &Keys) -> Result<SyncReport> {
        match self {
            Self::Own(connection) => run::guarded(connection, view, keys).await,
            Self::Callers(_) => {
                self.guarded(async |connection| run::in_transaction(connection, view, keys).await)
                    .await
            }
        }
    }

    /// Runs something after whose failure the caller's transaction can go on.
    pub(crate) async fn guarded<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
    ) -> Result<T> {
        let connection = match self {
            Self::Own(connection) => return work(connection).await,
            Self::Callers(connection) => connection,
        };
        let failed = || Error::database("keeping a savepoint to sync");
        if let Err(error) = connection.execute(SAVEPOINT).await {
            let code = error.as_database_error().and_then(|error| error.code());
            if code.as_deref() == Some("25P01") {
                // There is no transaction, so each statement is one.
                return work(connection).await;
            }
            return Err(failed()(error));
        }
        let result = work(connection).await;
        let end = match &result {
            Ok(_) => RELEASE,
            Err(_) => ROLL_BACK,
        };
        match (result, connection.execute(end).await) {
            (Ok(value), Ok(_)) => Ok(value),
            (Ok(_), Err(error)) => Err(failed()(error)),
            // Where the way back fails too, the reason is the first error.
            (Err(error), _) => Err(error),
        }
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        match self {
            Self::Own(connection) | Self::Callers(connection) => connection,
        }
    }

    async fn run(&mut self, request: Request<'_>) -> Result<SyncReport> {
        let start = Instant::now();
        let mut report = SyncReport::default();
        match request {
            Request::Sync { view, keys } => {
                for chunk in keys.chunks(BATCH) {
                    report += self.batch(view, &chunk).await?;
                }
            }
            Request::Delete { view, keys } => {
                for chunk in keys.chunks(BATCH) {
                    report.deleted += run::delete(self.connection(), view, &chunk).await?;
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

impl SyncTarget for &PgPool {
    async fn run(self, request: Request<'_>) -> Result<SyncReport> {
        if let Request::Sync { keys, .. } | Request::Delete { keys, .. } = &request
            && keys.is_empty()
        {
            return Ok(SyncReport::default());
        }
        if let Request::Full { view, settings } = request {
            return full::on_pool(self, view, settings).await;
        }
        let mut connection = self
            .acquire()
            .await
            .map_err(Error::database("acquiring a connection to sync"))?;
        Session::Own(&mut connection).run(request).await
    }
}

impl SyncTarget for &mut PgConnection {
    async fn run(self, request: Request<'_>) -> Result<SyncReport> {
        Session::Callers(self).run(request).await
    }
}

impl SyncTarget for &mut Transaction<'_, Postgres> {
    async fn run(self, request: Request<'_>) -> Result<SyncReport> {
        Session::Callers(self).run(request).await
    }
}

impl SyncTarget for &mut PoolConnection<Postgres> {
    async fn run(self, request: Request<'_>) -> Result<SyncReport> {
        Session::Callers(self).run(request).await
    }
}
