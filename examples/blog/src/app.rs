//! Application state: the pool, the read model and its worker, opened at start and closed at
//! shutdown.

use std::time::Duration;

use anyhow::{Context, Result};
use fraiseql_runtime::migrate::Migration;
use fraiseql_runtime::mutation::MutationReport;
use fraiseql_runtime::worker::WorkerHealth;
use fraiseql_runtime::{Mutation, ReadModel, Replicas, SyncLog, WalPosition};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgPool};
use tokio::time::timeout;

use crate::capture::CaptureMode;
use crate::ops::{Ops, metrics};
use crate::worker::RunningWorker;
use crate::{sample, service, views, work};

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
    /// The same database and its replicas, for reads.
    pub replicas: Replicas,
    /// The read model, with its observers and the sync log.
    pub blog: ReadModel,
    /// Whether the worker of this process is alive, and how far it is behind.
    pub worker: WorkerHealth,
    /// Metrics, and the state of the shutdown.
    pub ops: Ops,
}

/// What is closed at shutdown.
#[derive(Debug)]
pub struct BackgroundTasks {
    pool: PgPool,
    worker: RunningWorker,
}

/// How the database is opened.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The database, as the role that the blog has.
    pub database: PgConnectOptions,
    /// Replicas of the database, which are read.
    pub replicas: Vec<PgConnectOptions>,
    /// The database, as the role that migrates, if that is another one.
    pub owner: Option<PgConnectOptions>,
    /// The most connections to the database, and to each replica.
    pub connections: u32,
    /// The number of sample posts in an empty blog.
    pub posts: u32,
    /// Who says which rows were changed.
    pub capture: CaptureMode,
    /// Whether to drop what other releases, and other settings of `capture`, have left.
    pub drop_left_over: bool,
}

impl App {
    /// Connects, migrates base tables and view tables, fills an empty blog, and starts the worker.
    ///
    /// # Errors
    /// If the database cannot be reached, or if its tables do not match the structs.
    pub async fn open(settings: Settings, ops: Ops) -> Result<(Self, BackgroundTasks)> {
        let pool = connect(&settings).await?;
        let has_owner = settings.owner.is_some();
        if has_owner {
            prepare_as_owner(&settings).await?;
        } else {
            MIGRATIONS
                .run(&pool)
                .await
                .context("cannot migrate the base tables")?;
        }
        let blog = views::read_model()
            .capture(settings.capture.into())
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
        if !has_owner {
            left_over(&migration, &pool, settings.drop_left_over).await?;
        }
        blog.check(&pool).await?.into_result()?;
        if migration.needs_rebuild() {
            tracing::info!("{}", blog.rebuild(&pool).await?);
        }
        sample::fill(&blog, &pool, settings.posts).await?;
        let worker = RunningWorker::start(&blog, &pool);
        let app = Self {
            replicas: replicas(&settings, &pool),
            pool: pool.clone(),
            blog,
            worker: worker.health(),
            ops,
        };
        Ok((app, BackgroundTasks { pool, worker }))
    }

    /// Runs a command in a mutation: its changes are committed together with every dependent
    /// document, or not at all. After a deadlock it is run again.
    ///
    /// # Errors
    /// Errors of the command and of the database.
    pub async fn mutate<T>(
        &self,
        command: impl AsyncFnMut(&mut Mutation) -> service::Result<T>,
    ) -> service::Result<T> {
        let (value, _) = self.mutate_with_report(command, false).await?;
        Ok(value)
    }

    /// As [`mutate`](Self::mutate), with the report of the mutation. If it is `deferred`, its documents are left to
    /// the worker: what is to be synced is committed together with the changes.
    ///
    /// # Errors
    /// Errors of the command and of the database.
    pub async fn mutate_with_report<T>(
        &self,
        mut command: impl AsyncFnMut(&mut Mutation) -> service::Result<T>,
        deferred: bool,
    ) -> service::Result<(T, MutationReport)> {
        let strict_command = async move |m: &mut Mutation| {
            // A dependent document that cannot be written fails the command.
            m.strict();
            if deferred {
                m.defer();
            }
            command(m).await
        };
        self.blog.mutate(&self.pool, strict_command).await
    }

    /// Waits until the worker has synced the documents of a mutation, for five seconds at most, and returns the
    /// position after that. The mutation is committed in any case; only a count in the response may be old.
    pub async fn wait_synced(&self, report: &MutationReport) -> Option<WalPosition> {
        let token = report.token();
        let app = self.clone();
        // A task of its own, since its statements only look, and are not the work of the request.
        let wait = tokio::spawn(async move { app.blog.wait_synced(&app.pool, token).await });
        if let Ok(Err(error)) = wait.await {
            tracing::warn!(%error, "a document is not synced yet");
        }
        let mut connection = self.pool.acquire().await.ok()?;
        WalPosition::current(&mut connection).await.ok()
    }
}

impl BackgroundTasks {
    /// Stops the worker after what was committed before is synced, and closes the pool. Does not return while
    /// a request has a connection.
    ///
    /// # Errors
    /// If a task has panicked.
    pub async fn close(self) -> Result<()> {
        self.worker.stop().await?;
        self.pool.close().await;
        Ok(())
    }
}

/// Connects as the role that the blog has.
async fn connect(settings: &Settings) -> Result<PgPool> {
    // A pool would retry until its timeout, and then report the timeout instead of the cause.
    let connection = timeout(CONNECT_TIMEOUT, settings.database.connect()).await;
    let connection = connection.context("the database does not respond")?;
    connection
        .context("cannot connect to the database")?
        .close()
        .await?;
    let pool = PgPoolOptions::new()
        .max_connections(settings.connections)
        .acquire_timeout(CONNECT_TIMEOUT)
        .connect_with(settings.database.clone())
        .await?;
    Ok(pool)
}

/// The database and its replicas. These need not be there now: until they are, the database is read.
fn replicas(settings: &Settings, pool: &PgPool) -> Replicas {
    let connect = |replica: &PgConnectOptions| {
        PgPoolOptions::new()
            .max_connections(settings.connections)
            .acquire_timeout(CONNECT_TIMEOUT)
            .connect_lazy_with(replica.clone())
    };
    let replicas = settings.replicas.iter().map(connect);
    replicas.fold(Replicas::new(pool.clone()), Replicas::replica)
}

/// Migrates everything as the owner of the tables, and grants the blog's role what it needs: the
/// privileges of its read model, and those of its own statements.
async fn prepare_as_owner(settings: &Settings) -> Result<()> {
    let Some(owner) = settings.owner.clone() else {
        return Ok(());
    };
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
        .capture(settings.capture.into())
        .sync_log(SyncLog::new(pool.clone()))
        .build()?;
    let migration = blog.migrate(&pool).await?;
    left_over(&migration, &pool, settings.drop_left_over).await?;
    let role = settings.database.get_username();
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

/// Drops the triggers, functions and changes that other releases and other settings of `capture` have left, or
/// logs the statements that do: a process with another setting may still run, and only an operator knows.
async fn left_over(migration: &Migration, pool: &PgPool, drop: bool) -> Result<()> {
    if migration.left_over.is_empty() {
        return Ok(());
    }
    let remedies = migration.left_over.iter().map(|left| left.remedy.as_str());
    if !drop {
        let statements: Vec<&str> = remedies.collect();
        tracing::warn!(
            "another release, or another --capture, has left triggers that go on to write changes, and functions. \
             If no process with that runs any more, start with --drop-left-over, or run:\n{};",
            statements.join(";\n")
        );
        return Ok(());
    }
    // Each by itself: all of them in one transaction would lock all base tables until its end.
    for remedy in remedies {
        sqlx::raw_sql(AssertSqlSafe(remedy.to_owned()))
            .execute(pool)
            .await
            .with_context(|| format!("cannot run `{remedy}`"))?;
        tracing::info!("{remedy}");
    }
    Ok(())
}
