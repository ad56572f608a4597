//! The server: what can be said on the command line, from the start to the end.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use blog::app::App;
use blog::ops::logs::Format;
use blog::ops::{Ops, logs};
use blog::service::upkeep;
use blog::{http, sample};
use clap::Parser;
use dev_postgres::Server;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// A blog's GraphQL API over documents that are ready to be read.
///
/// Without a database of yours it starts a PostgreSQL of its own, which needs no set-up and no
/// port, and is gone when the program ends; its data stays. An empty blog is filled with sample
/// posts.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Arguments {
    /// The port to listen on; 0 takes one that is free.
    #[arg(long, env = "BLOG_PORT", default_value_t = 8000)]
    port: u16,
    /// The address to listen on; 0.0.0.0 is all.
    #[arg(long, env = "BLOG_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The database, such as postgres://user:password@host/blog; its tables are created.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<PgConnectOptions>,
    /// Connections to it.
    #[arg(long, env = "BLOG_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=1000))]
    connections: u32,
    /// Posts that an empty blog is filled with; with each come ten comments. 0 leaves it empty.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(..=100_000))]
    posts: u32,
    /// A sync that takes so long is warned of, such as 500ms.
    #[arg(long, env = "BLOG_SLOW_SYNC", default_value = "500ms", value_parser = humantime::parse_duration, value_name = "TIME")]
    slow_sync: Duration,
    /// After the signal to end, requests are still taken for so long, while /ready says no: until
    /// who sends them has noticed.
    #[arg(long, env = "BLOG_DRAIN", default_value = "0s", value_parser = humantime::parse_duration, value_name = "TIME")]
    drain: Duration,
    /// How events are written to standard error.
    #[arg(long, env = "BLOG_LOG_FORMAT", value_enum, default_value_t)]
    log_format: Format,
    /// Begins anew: drops the data of the PostgreSQL of its own. A database of yours is left alone.
    #[arg(long, conflicts_with = "database_url")]
    reset: bool,
}

const AFTER_HELP: &str = "\
Then:
  curl localhost:8000/graphql -H 'content-type: application/json' \\
    -d '{\"query\": \"{ posts(limit: 5) { id title author { username fullName } commentCount } }\"}'

  /          recent posts, and what each action does     /graphql   the API, and GraphiQL
  /metrics   for Prometheus                              /health    it runs
  /metrics.json   syncs of the last day                  /ready     it can answer

RUST_LOG=fraiseql=debug says what is synced, Ctrl+C ends it.";

/// When the program is to end, it waits so long for clients, and then for what they have left to do.
/// Twice this is less than the ten seconds after which Docker kills it.
const GRACE: Duration = Duration::from_secs(4);
/// The database of the server of its own.
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
    // First what fails at once.
    let address = SocketAddr::new(arguments.host, arguments.port);
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; --port 0 takes a port that is free")
    })?;
    let (_server, database) = database(&arguments).await?;
    let ops = Ops::install(arguments.slow_sync)?;
    let (app, closing) = App::open(database, arguments.connections, ops.clone()).await?;
    sample::fill(&app, arguments.posts).await?;

    let upkeep = tokio::spawn(upkeep::keep_repaired(app.blog.clone(), app.pool.clone()));
    let router = http::router(&app);
    drop(app);
    println!("The blog is at http://{}", listener.local_addr()?);
    let (ending, mut ended) = watch::channel(());
    let served = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown(ops, arguments.drain).await;
        drop(ending);
    });
    let overdue = async {
        let _ = ended.changed().await;
        sleep(GRACE).await;
    };
    tokio::select! {
        served = served => served?,
        () = overdue => tracing::warn!("a client did not go away in {GRACE:?}"),
    }
    upkeep.abort();
    // Whoever did not go away holds what has to be closed.
    let Ok(closed) = timeout(GRACE, closing.close()).await else {
        tracing::warn!("likes may be left that are not counted: the next start does that");
        return Ok(());
    };
    closed
}

/// The database that was asked for, or one on a server of its own.
async fn database(arguments: &Arguments) -> Result<(Option<Server>, PgConnectOptions)> {
    if let Some(url) = &arguments.database_url {
        return Ok((None, url.clone()));
    }
    let server = Server::builder().persistent_in_cache("blog")?.start()?;
    println!("Started {}.", server.description());
    let database = if arguments.reset {
        server.recreate_database(DATABASE).await?
    } else {
        server.ensure_database(DATABASE).await?
    };
    Ok((Some(server), database))
}

/// Resolves when the program is to end. Requests that are running are answered.
async fn shutdown(ops: Ops, drain: Duration) {
    signal().await;
    tracing::info!("shutting down");
    ops.shut_down();
    // Who asks twice is in a hurry.
    let _ = tokio::time::timeout(drain, signal()).await;
}

/// Resolves with the next Ctrl+C, or SIGTERM.
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
