//! The program: a server, a worker, or both.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use dev_postgres::Server as Postgres;
use fraiseql_graphql::http::Server;
use helpdesk::app::App;
use helpdesk::{rest, sample};
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A helpdesk of many organizations: REST and GraphQL over the same stored documents.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// What this process does.
    #[arg(value_enum, default_value_t = Task::All)]
    task: Task,
    /// The database, such as postgres://user:password@host/helpdesk. By default it is one on a
    /// PostgreSQL that the program starts, or that another process of it has started.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<PgConnectOptions>,
    /// Address to listen on. Port 0 takes a free port.
    #[arg(long, env = "HELPDESK_LISTEN", default_value = "127.0.0.1:8002")]
    listen: SocketAddr,
    /// Fills an empty database with sample rows, and with tokens that everybody knows.
    #[arg(long)]
    sample: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Task {
    /// Both of the following, to try it out.
    All,
    /// Serves requests.
    Serve,
    /// Writes the documents of rows that others change, and those that commands leave to it.
    Worker,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info,sqlx=warn".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    log.with_writer(std::io::stderr).init();

    let (_postgres, database) = match arguments.database_url {
        Some(database) => (None, database),
        None => {
            let postgres = Postgres::builder().persistent_in_cache("helpdesk")?;
            let postgres = postgres.join().start()?;
            let database = postgres.ensure_database("helpdesk").await?;
            (Some(postgres), database)
        }
    };
    let app = App::open(database).await?;
    if arguments.sample {
        sample::fill(&app).await?;
    }
    let serve = async {
        if arguments.task != Task::Worker {
            let listener = TcpListener::bind(arguments.listen).await;
            let listener =
                listener.context("cannot listen; --listen 127.0.0.1:0 takes a free port")?;
            println!("The helpdesk is at http://{}", listener.local_addr()?);
            let server = Server::new().serve(listener, rest::router(&app), stopped());
            server.await;
        }
        Ok(())
    };
    let work = async {
        if arguments.task != Task::Serve {
            let report = app.model.worker(&app.pool).run(stopped()).await?;
            tracing::info!("the worker has stopped: {report}");
        }
        anyhow::Ok(())
    };
    tokio::try_join!(serve, work)?;
    Ok(())
}

/// Resolves at the next Ctrl+C or SIGTERM.
async fn stopped() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
