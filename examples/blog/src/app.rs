//! Application state: the pool, the read model and the like queue, opened at start and closed at
//! shutdown.

use std::time::Duration;

use anyhow::{Context, Result};
use fraiseql_runtime::sync::Observed;
use fraiseql_runtime::{Mutation, ReadModel, SyncLog};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgPool};
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

/// The base tables, which commands write.
const BASE_TABLES: &str = "tb_user, tb_post, tb_comment, tb_tag, tb_post_tag, tb_like";

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
    /// Connects, migrates base tables and view tables, and starts the background tasks. `owner` is who
    /// migrates, if it is another role.
    ///
    /// # Errors
    /// If the database cannot be reached, or if its tables do not match the structs.
    pub async fn open(
        database: PgConnectOptions,
        owner: Option<PgConnectOptions>,
        connections: u32,
        ops: Ops,
    ) -> Result<(Self, BackgroundTasks)> {
        let role = database.get_username().to_owned();
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
        let has_owner = owner.is_some();
        match owner {
            Some(owner) => prepare_as_owner(owner, &role).await?,
            None => MIGRATIONS
                .run(&pool)
                .await
                .context("cannot migrate the base tables")?,
        }
        let blog = views::read_model()
            .observe(work::observe)
            .sync_log(SyncLog::new(pool.clone()).keep(LOG_RETENTION))
            .observe(ops.slow_syncs())
            .build()?;
        metrics::register(&blog);
        // The owner has migrated already: this only looks whether documents have to be rebuilt.
        let migration = blog.migrate(&pool).await?;
        if has_owner && !migration.created.is_empty() {
            tracing::warn!("{migration}");
        }
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

/// Migrates everything as the owner of the tables, and grants `role` what the blog needs: the
/// privileges of its read model, and those of its own statements.
async fn prepare_as_owner(owner: PgConnectOptions, role: &str) -> Result<()> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_TIMEOUT)
        .connect_with(owner)
        .await
        .context("cannot connect as the owner of the tables")?;
    MIGRATIONS
        .run(&pool)
        .await
        .context("cannot migrate the base tables")?;
    let blog = views::read_model()
        .sync_log(SyncLog::new(pool.clone()))
        .build()?;
    blog.migrate(&pool).await?;
    let quoted = format!("\"{}\"", role.replace('"', "\"\""));
    let own = [
        format!("GRANT INSERT, UPDATE, DELETE ON {BASE_TABLES} TO {quoted}"),
        // What `/ready` compares with the migrations of the program.
        format!("GRANT SELECT ON _sqlx_migrations TO {quoted}"),
    ];
    for statement in blog.grants(role).into_iter().chain(own) {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&pool)
            .await?;
    }
    pool.close().await;
    Ok(())
}
