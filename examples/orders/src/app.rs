//! Application state: pools, the read model and its worker, opened at start and closed at shutdown.

use std::time::Duration;

use anyhow::{Context, Result};
use fraiseql_runtime::worker::Worker;
use fraiseql_runtime::{ReadModel, Replicas};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgPool};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::{sample, views};

/// Time limit for a connection, at start and when all connections are in use.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The migrations: base tables, and the functions that are the commands.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// State that all requests share. A clone is another handle to it.
#[derive(Clone, Debug)]
pub struct App {
    /// The read model.
    pub orders: ReadModel,
    /// Connections for commands, and for what their responses read.
    pub commands: PgPool,
    /// Connections for queries, to the same database and its replicas.
    pub queries: Replicas,
}

/// What is stopped and closed at shutdown.
#[derive(Debug)]
pub struct BackgroundTasks {
    worker: Worker,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
    pools: [PgPool; 2],
}

/// How the databases are opened.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The database that commands write.
    pub database: PgConnectOptions,
    /// Its replicas, which queries read.
    pub replicas: Vec<PgConnectOptions>,
    /// The most connections for commands, for queries, and to each replica.
    pub connections: u32,
    /// The number of sample orders in an empty database.
    pub sample_orders: u32,
}

impl App {
    /// Connects, migrates, fills an empty database, and starts the worker.
    ///
    /// # Errors
    /// If a database cannot be reached, or if its tables do not match the structs.
    pub async fn open(settings: Settings) -> Result<(Self, BackgroundTasks)> {
        let commands = connect(settings.database.clone(), settings.connections).await?;
        MIGRATIONS
            .run(&commands)
            .await
            .context("cannot migrate the base tables")?;
        let orders = views::read_model().build()?;
        let migration = orders.migrate(&commands).await?;
        orders.check(&commands).await?.into_result()?;
        if migration.needs_rebuild() {
            tracing::info!("{}", orders.rebuild(&commands).await?);
        }
        let queries = connect(settings.database, settings.connections).await?;
        let replica = |replica: PgConnectOptions| {
            // It need not be there now.
            let pool = PgPoolOptions::new().max_connections(settings.connections);
            pool.acquire_timeout(CONNECT_TIMEOUT)
                .connect_lazy_with(replica)
        };
        let replicas = settings.replicas.into_iter().map(replica);
        let app = Self {
            orders,
            commands: commands.clone(),
            queries: replicas.fold(Replicas::new(queries.clone()), Replicas::replica),
        };
        sample::fill(&app, settings.sample_orders).await?;
        let background = BackgroundTasks::start(&app.orders, [commands, queries]);
        Ok((app, background))
    }
}

impl BackgroundTasks {
    /// Starts a worker, for documents of rows that others change, such as psql.
    fn start(orders: &ReadModel, pools: [PgPool; 2]) -> Self {
        let worker = orders.worker(&pools[0]);
        let (stop, stopped) = oneshot::channel();
        let run = worker.clone().run(async { drop(stopped.await) });
        let running = tokio::spawn(async move {
            // What is left is not lost: the worker of another process, or of the next start, goes on.
            if let Err(error) = run.await {
                tracing::error!(%error, "the worker has stopped");
            }
        });
        Self {
            worker,
            stop,
            running,
            pools,
        }
    }

    /// Stops the worker after what was committed before is in its documents, and closes the pools. Does not
    /// return while a request has a connection.
    ///
    /// # Errors
    /// If the worker has panicked.
    pub async fn close(self) -> Result<()> {
        let _ = self.stop.send(());
        self.running.await?;
        if let Err(error) = self.worker.drain().await {
            tracing::warn!(%error, "what is left is done after the next start");
        }
        for pool in self.pools {
            pool.close().await;
        }
        Ok(())
    }
}

async fn connect(database: PgConnectOptions, connections: u32) -> Result<PgPool> {
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
    Ok(pool)
}
