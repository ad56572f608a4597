//! Servers that are processes of their own. Those in Rust share one stack, and differ in the
//! schema.

mod by_hand;
mod dataloader;
mod ours;
mod rename;

use std::io::{Read as _, Write as _};
use std::time::Duration;

use async_graphql::Executor;
use axum::Router;
use axum::serve::ListenerExt as _;
use fraiseql_runtime::http::GraphQl;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::net::TcpListener;

use self::rename::Then;
use super::contender::Contender;
use super::views::{json, jsonb};

/// Connections to PostgreSQL that each server has.
pub(crate) const CONNECTIONS: u32 = 8;

/// Options of `serve-peer`.
#[derive(Debug, clap::Args)]
pub(crate) struct PeerOptions {
    contender: Contender,
}

/// A server that says its port, and ends when its input does. The database is that of the
/// variables `PGHOST` and so on.
pub(crate) async fn peer(options: PeerOptions) -> anyhow::Result<()> {
    // A thread, since a read of the input keeps one anyway.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let pool = PgPoolOptions::new()
        .min_connections(CONNECTIONS)
        .max_connections(CONNECTIONS)
        .max_lifetime(None)
        .idle_timeout(None)
        // A round trip for each request; that a connection is dead, its next statement tells.
        .test_before_acquire(false)
        .connect_with(PgConnectOptions::new())
        .await?;
    match options.contender {
        Contender::OursJson => serve(ours::json(pool)?).await,
        Contender::OursJsonb => serve(ours::jsonb(pool)?).await,
        Contender::DataLoader => serve(dataloader::schema(pool, None)).await,
        Contender::DataLoaderEager => serve(dataloader::schema(pool, Some(Duration::ZERO))).await,
        Contender::ByHand | Contender::Triggers => {
            serve(by_hand::schema(pool, Then::Nothing)).await
        }
        Contender::Matview => serve(by_hand::schema(pool, Then::Refresh)).await,
        other => anyhow::bail!("{other} is no server of this program"),
    }
}

async fn serve(schema: impl Executor) -> anyhow::Result<()> {
    let app = Router::new().route_service("/graphql", GraphQl::new(schema));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", listener.local_addr()?.port())?;
    stdout.flush()?;
    drop(stdout);
    let listener = listener.tap_io(|stream| {
        // Without it, it is slower, and still right.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await?;
    Ok(())
}
