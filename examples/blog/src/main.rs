//! The server program: command line, start and graceful shutdown.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use blog::app::{App, Settings};
use blog::capture::CaptureMode;
use blog::http;
use blog::ops::logs::Format;
use blog::ops::{Ops, logs};
use blog::service::upkeep;
use clap::Parser;
use dev_postgres::Server as Postgres;
use fraiseql_graphql::http::Server;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// A blog's GraphQL API over stored documents.
///
/// Without --database-url it starts its own PostgreSQL, which needs no set-up and listens on no
/// port. The server stops with the program; its data is kept. An empty blog is filled with sample
/// posts.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Arguments {
    /// Port to listen on; 0 takes a free port.
    #[arg(long, env = "BLOG_PORT", default_value_t = 8000)]
    port: u16,
    /// Address to listen on; 0.0.0.0 is all interfaces.
    #[arg(long, env = "BLOG_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The database, such as postgres://user:password@host/blog; missing tables are created.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<PgConnectOptions>,
    /// A streaming replica of the database, for reads; may be repeated.
    #[arg(
        long = "replica",
        env = "BLOG_REPLICAS",
        hide_env_values = true,
        value_name = "URL",
        value_delimiter = ',',
        requires = "database_url"
    )]
    replicas: Vec<PgConnectOptions>,
    /// The owner of the tables, if the role of --database-url is not: it creates them, and grants
    /// that role the privileges that the blog needs.
    #[arg(
        long,
        env = "BLOG_OWNER_URL",
        hide_env_values = true,
        value_name = "URL",
        requires = "database_url"
    )]
    owner_url: Option<PgConnectOptions>,
    /// Maximum number of connections to the database, and to each replica.
    #[arg(long, env = "BLOG_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=1000))]
    connections: u32,
    /// Number of sample posts in an empty blog, with ten comments each; 0 leaves it empty.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(..=100_000))]
    posts: u32,
    /// Who says which rows were changed.
    #[arg(long, env = "BLOG_CAPTURE", value_enum, default_value_t)]
    capture: CaptureMode,
    /// Drop the triggers and functions that other releases, and other settings of --capture, have left. Only
    /// if no process with them runs any more.
    #[arg(long)]
    drop_left_over: bool,
    /// Log a warning for each sync that takes at least this long, such as 500ms.
    #[arg(long, env = "BLOG_SLOW_SYNC", default_value = "500ms", value_parser = humantime::parse_duration, value_name = "TIME")]
    slow_sync: Duration,
    /// After SIGTERM, keep accepting requests for this long while /ready returns 503, so that a
    /// load balancer can stop sending them.
    #[arg(long, env = "BLOG_DRAIN", default_value = "0s", value_parser = humantime::parse_duration, value_name = "TIME")]
    drain: Duration,
    /// Format of the log on standard error.
    #[arg(long, env = "BLOG_LOG_FORMAT", value_enum, default_value_t)]
    log_format: Format,
    /// Drop the data of the program's own PostgreSQL and start empty.
    #[arg(long, conflicts_with = "database_url")]
    reset: bool,
}

const AFTER_HELP: &str = "\
Then:
  curl localhost:8000/graphql -H 'content-type: application/json' \\
    -d '{\"query\": \"{ posts(limit: 5) { id title author { username fullName } commentCount } }\"}'

  /          recent posts, and what each action does     /graphql   the API, and GraphiQL
  /posts/{id}     a stored document, and counts a view
  /metrics   for Prometheus                              /health    the process runs
  /metrics.json   syncs of the last 24 hours             /ready     the database is usable

RUST_LOG=fraiseql=debug logs what is synced. Ctrl+C stops the server.";

/// At shutdown, the time limit for open connections, and then again for background work. Twice
/// this is less than the ten seconds after which Docker kills the process.
const GRACE_PERIOD: Duration = Duration::from_secs(4);
/// Name of the database on the program's own server.
const DATABASE: &str = "blog";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logs::init(arguments.log_format);
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    // Bind first: a port that is taken is reported before anything slow is started.
    let address = SocketAddr::new(arguments.host, arguments.port);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; --port 0 takes a free port"))?;
    let (_server, database) = database(&arguments).await?;
    let ops = Ops::install(arguments.slow_sync)?;
    let settings = Settings {
        database,
        replicas: arguments.replicas,
        owner: arguments.owner_url,
        connections: arguments.connections,
        posts: arguments.posts,
        capture: arguments.capture,
        drop_left_over: arguments.drop_left_over,
    };
    let (app, background) = App::open(settings, ops.clone()).await?;

    let upkeep = tokio::spawn(upkeep::keep_repaired(app.blog.clone(), app.pool.clone()));
    let router = http::router(&app);
    println!("The blog is at http://{}", listener.local_addr()?);
    // Signals by being dropped that the server has stopped accepting connections.
    let (accepting, mut stopped_accepting) = watch::channel(());
    let served = Server::new().serve(listener, router, async move {
        shutdown(ops, arguments.drain).await;
        drop(accepting);
    });
    // The server waits for the requests that have begun, and a client may be slow.
    let deadline = async {
        let _ = stopped_accepting.changed().await;
        sleep(GRACE_PERIOD).await;
    };
    tokio::select! {
        () = served => {}
        () = deadline => tracing::warn!("connections were still open after {GRACE_PERIOD:?}"),
    }
    upkeep.abort();
    let Ok(closed) = timeout(GRACE_PERIOD, background.close()).await else {
        tracing::warn!("some documents are not synced yet; the worker of the next start does it");
        return Ok(());
    };
    closed
}

/// The database of `--database-url`, or one on the program's own server, which is returned too.
async fn database(arguments: &Arguments) -> Result<(Option<Postgres>, PgConnectOptions)> {
    if let Some(url) = &arguments.database_url {
        return Ok((None, url.clone()));
    }
    let server = Postgres::builder().persistent_in_cache("blog")?.start()?;
    println!("Started {}.", server.description());
    let database = if arguments.reset {
        server.recreate_database(DATABASE).await?
    } else {
        server.ensure_database(DATABASE).await?
    };
    let mut url = database.to_url_lossy();
    // Options of sqlx, which psql does not know.
    url.set_query(None);
    println!("To change rows by hand: psql {url}");
    Ok((Some(server), database))
}

/// Resolves when the server is to stop accepting connections: after the signal and the drain time.
async fn shutdown(ops: Ops, drain: Duration) {
    signal().await;
    tracing::info!("shutting down");
    ops.shut_down();
    // A second signal ends the drain time early.
    let _ = timeout(drain, signal()).await;
}

/// Resolves at the next Ctrl+C or SIGTERM.
async fn signal() {
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
