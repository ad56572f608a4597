//! The server program: command line, start and graceful shutdown.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use dev_postgres::Server as Postgres;
use fraiseql_graphql::http::Server;
use orders::app::{App, Settings};
use orders::http;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing_subscriber::EnvFilter;

/// An order service: commands are functions of the database, queries read stored documents.
///
/// Without --database-url it starts its own PostgreSQL, which needs no set-up and listens on no port. The
/// server stops with the program; its data is kept. An empty database is filled with sample orders.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Arguments {
    /// Port to listen on; 0 takes a free port.
    #[arg(long, env = "ORDERS_PORT", default_value_t = 8001)]
    port: u16,
    /// Address to listen on; 0.0.0.0 is all interfaces.
    #[arg(long, env = "ORDERS_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The database that commands write, such as postgres://user:password@host/orders; missing tables are
    /// created.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<PgConnectOptions>,
    /// A streaming replica of the database, for queries; may be repeated.
    #[arg(
        long = "replica",
        env = "ORDERS_REPLICAS",
        hide_env_values = true,
        value_name = "URL",
        value_delimiter = ',',
        requires = "database_url"
    )]
    replicas: Vec<PgConnectOptions>,
    /// Maximum number of connections for commands, for queries, and to each replica.
    #[arg(long, env = "ORDERS_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=1000))]
    connections: u32,
    /// Number of sample orders in an empty database; 0 leaves it empty.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=10_000))]
    sample_orders: u32,
    /// Delete the data of the program's own PostgreSQL first.
    #[arg(long, conflicts_with = "database_url")]
    reset: bool,
}

const AFTER_HELP: &str = "\
Then:
  curl localhost:8001/graphql -H 'content-type: application/json' \\
    -d '{\"query\": \"{ ordersSummary(limit: 3) { number status total itemCount customer { name } } }\"}'

  /graphql   the API, and GraphiQL          /health    the process runs

RUST_LOG=fraiseql=debug logs what commands change. Ctrl+C stops the server.";

/// At shutdown, the time limit for open connections, and then again for background work.
const GRACE_PERIOD: Duration = Duration::from_secs(4);
/// Name of the database on the program's own server.
const DATABASE: &str = "orders";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info,sqlx=warn".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
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
    let (_postgres, database) = database(&arguments).await?;
    let settings = Settings {
        replicas: arguments.replicas,
        database,
        connections: arguments.connections,
        sample_orders: arguments.sample_orders,
    };
    let (app, background) = App::open(settings).await?;
    println!("Orders are at http://{}/graphql", listener.local_addr()?);

    // Signals by being dropped that the server has stopped accepting connections.
    let (accepting, mut stopped_accepting) = watch::channel(());
    let served = Server::new().serve(listener, http::router(&app), async move {
        signal().await;
        tracing::info!("shutting down");
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
    let Ok(closed) = timeout(GRACE_PERIOD, background.close()).await else {
        tracing::warn!("what psql has changed is not in all documents yet; the next start goes on");
        return Ok(());
    };
    closed
}

/// The database of `--database-url`, or one on the program's own server, which is returned too.
async fn database(arguments: &Arguments) -> Result<(Option<Postgres>, PgConnectOptions)> {
    if let Some(url) = &arguments.database_url {
        return Ok((None, url.clone()));
    }
    let server = Postgres::builder().persistent_in_cache("orders")?.start()?;
    println!("Started {}.", server.description());
    let database = if arguments.reset {
        server.recreate_database(DATABASE).await?
    } else {
        server.ensure_database(DATABASE).await?
    };
    let mut url = sqlx::ConnectOptions::to_url_lossy(&database);
    // Options of sqlx, which psql does not know.
    url.set_query(None);
    println!("To call functions by hand: psql {url}");
    Ok((Some(server), database))
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
