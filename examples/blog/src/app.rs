//! What all requests share: the pool, the read model, the queue of likes; opened when the server
//! starts, closed when it ends.

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

/// A connection is waited for this long, when the program starts and when all are in use.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows of the log are kept for this long.
const KEEP_LOG: Duration = Duration::from_secs(30 * 24 * 3600);

/// What creates the base tables.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!();

/// What all requests share. A clone is another handle.
#[derive(Clone, Debug)]
pub struct App {
    /// Connections to the database.
    pub pool: PgPool,
    /// The documents, and who is told of each sync.
    pub blog: ReadModel,
    /// Posts whose likes are counted in the background.
    pub likes: Queue,
    /// Metrics, and whether it is about to end.
    pub ops: Ops,
}

/// What has to be closed in the end.
#[derive(Debug)]
pub struct Closing {
    pool: PgPool,
    counting: JoinHandle<()>,
}

impl App {
    /// Connects, migrates base tables and view tables, and starts what runs in the background.
    ///
    /// # Errors
    /// When the database cannot be reached, or does not fit the structs.
    pub async fn open(
        database: PgConnectOptions,
        connections: u32,
        ops: Ops,
    ) -> Result<(Self, Closing)> {
        // A pool would try for a while, and not say what is wrong.
        let connection = timeout(PATIENCE, database.connect()).await;
        let connection = connection.context("the database does not answer")?;
        connection
            .context("cannot connect to the database")?
            .close()
            .await?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            .connect_with(database)
            .await?;
        MIGRATIONS
            .run(&pool)
            .await
            .context("cannot migrate the base tables")?;
        let blog = views::read_model()
            .observe(work::observe)
            .sync_log(SyncLog::new(pool.clone()).keep(KEEP_LOG))
            .observe(ops.slow_syncs())
            .build()?;
        metrics::register(&blog);
        let migration = blog.migrate(&pool).await?;
        blog.check(&pool).await?.into_result()?;
        if !migration.stale.is_empty() {
            tracing::info!("{}", blog.rebuild(&pool).await?);
        }
        let target = blog.on(pool.clone());
        let (likes, counting) = Queue::start::<Observed<PgPool>>(target);
        let closing = Closing {
            pool: pool.clone(),
            counting,
        };
        let app = Self {
            pool,
            blog,
            likes,
            ops,
        };
        Ok((app, closing))
    }

    /// Runs a command: what it changed is committed with every document that depends on it, or
    /// nothing is. After a deadlock it is run again.
    ///
    /// # Errors
    /// Those of the command, and of the database.
    pub async fn mutate<T>(
        &self,
        mut command: impl AsyncFnMut(&mut Mutation) -> service::Result<T>,
    ) -> service::Result<T> {
        let strictly = async move |m: &mut Mutation| {
            m.strict();
            command(m).await
        };
        let (value, _) = self.blog.mutate(&self.pool, strictly).await?;
        Ok(value)
    }
}

impl Closing {
    /// Waits for what runs in the background. Every [`App`] must be gone by then.
    ///
    /// # Errors
    /// When a task has panicked.
    pub async fn close(self) -> Result<()> {
        self.counting.await?;
        self.pool.close().await;
        Ok(())
    }
}
