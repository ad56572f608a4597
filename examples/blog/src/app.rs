//! Application state: the pool, the read model and the like queue, opened at start and closed at
//! shutdown.

use std::time::Duration;

use anyhow::{Context, Result};
use fraiseql_runtime::sync::Observed;
use fraiseql_runtime::{Mutation, ReadModel, SyncLog};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgPool};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::ops::{Ops, metrics};
use crate::service::likes::Queue;
use crate::{service, views, work};

/// Time limit for a connection, at start and when all connections are in use.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long rows of the sync log are kept.
const LOG_RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);

/// The migrations that create the base tables.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!();

/// State that all requests share. A clone is another handle to it.
#[derive(Clone, Debug)]
pub struct App {
    /// Connections to the database.
    pub pool: PgPool,
    /// The read model, with its observers and the sync log.
    pub blog: ReadModel,
    /// Posts whose likes are counted in the background.
    pub likes: Queue,
    /// Metrics, and the state of the shutdown.
    pub ops: Ops,
}

/// What is closed at shutdown.
#[derive(Debug)]
pub struct BackgroundTasks {
    pool: PgPool,
    like_task: JoinHandle<()>,
}

impl App {
    /// Connects, migrates base tables and view tables, and starts the background tasks.
    ///
    /// # Errors
    /// If the database cannot be reached, or if its tables do not match the structs.
    pub async fn open(
        database: PgConnectOptions,
        connections: u32,
        ops: Ops,
    ) -> Result<(Self, BackgroundTasks)> {
        // A pool would retry until its timeout, and then report the timeout instead of the cause.
        let connection = timeout(CONNECT_TIMEOUT, database.connect()).await;
        let connection = connection.context("the database does not respond")?;
        connection
            .context("cannot connect to the database")?
            .close()
            .await?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(CONNECT_TIMEOUT)
            .connect_with(database)
            .await?;
        MIGRATIONS
            .run(&pool)
            .await
            .context("cannot migrate the base tables")?;
        let blog = views::read_model()
            .observe(work::observe)
            .sync_log(SyncLog::new(pool.clone()).keep(LOG_RETENTION))
            .observe(ops.slow_syncs())
            .build()?;
        metrics::register(&blog);
        let migration = blog.migrate(&pool).await?;
        blog.check(&pool).await?.into_result()?;
        if migration.needs_rebuild() {
            tracing::info!("{}", blog.rebuild(&pool).await?);
        }
        let target = blog.on(pool.clone());
        let (likes, like_task) = Queue::start::<Observed<PgPool>>(target);
        let background = BackgroundTasks {
            pool: pool.clone(),
            like_task,
        };
        let app = Self {
            pool,
            blog,
            likes,
            ops,
        };
        Ok((app, background))
    }

    /// Runs a command in a mutation: its changes are committed together with every dependent
    /// document, or not at all. After a deadlock it is run again.
    ///
    /// # Errors
    /// Errors of the command and of the database.
    pub async fn mutate<T>(
        &self,
        mut command: impl AsyncFnMut(&mut Mutation) -> service::Result<T>,
    ) -> service::Result<T> {
        let strict_command = async move |m: &mut Mutation| {
            // A dependent document that cannot be written fails the command.
            m.strict();
            command(m).await
        };
        let (value, _) = self.blog.mutate(&self.pool, strict_command).await?;
        Ok(value)
    }
}

impl BackgroundTasks {
    /// Waits for the background tasks, and closes the pool. Does not return while an [`App`] is
    /// left: each holds a handle to the like queue.
    ///
    /// # Errors
    /// If a task has panicked.
    pub async fn close(self) -> Result<()> {
        self.like_task.await?;
        self.pool.close().await;
        Ok(())
    }
}
