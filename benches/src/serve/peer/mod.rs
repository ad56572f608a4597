//! The servers in Rust, which share one stack and differ only in the schema.

mod by_hand;
mod dataloader;
mod ours;
mod plain;
mod rename;

use std::io::Read as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_graphql::Executor;
use axum::Router;
use clap::ValueEnum as _;
use fraiseql_graphql::http::{GraphQl, TrustedDocuments};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use self::rename::AfterUpdate;
use super::contender::Contender;
use super::operation::Operation;
use super::views::{json, jsonb};

/// Options of `serve-peer`.
#[derive(Debug, clap::Args)]
pub(crate) struct PeerOptions {
    contender: Contender,
    /// Connections to PostgreSQL.
    #[arg(long)]
    connections: u32,
}

/// Runs a server that prints its port, and exits at the end of its input. It connects to the
/// database of the variables `PGHOST` and so on.
///
/// There is a single-threaded runtime for each core, with its share of the connections. In one
/// runtime with several threads, busy threads wake idle ones, which find nothing to do: with a
/// single client that was two thirds of the latency.
pub(crate) fn peer(options: &PeerOptions) -> anyhow::Result<()> {
    // Reading the input blocks, so it needs a thread.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(options.connections as usize).max(1);
    let mut workers = Vec::new();
    for _ in 0..threads {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (contender, (ready, is_ready)) = (options.contender, oneshot::channel());
        let connections = options.connections / u32::try_from(threads)?;
        let thread = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(serve_thread(
                contender,
                connections,
                ready,
                AcceptedClients(receiver),
            ))
        });
        if is_ready.blocking_recv().is_err() {
            return match thread.join() {
                Ok(result) => result,
                Err(_) => bail!("a thread of the server has panicked"),
            };
        }
        workers.push(sender);
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    for worker in workers.iter().cycle() {
        let (stream, _) = listener.accept()?;
        // An error only makes the connection slower.
        let _ = stream.set_nodelay(true);
        stream.set_nonblocking(true)?;
        worker
            .send(stream)
            .context("a thread of the server ended")?;
    }
    Ok(())
}

/// Serves the clients of one thread.
async fn serve_thread(
    contender: Contender,
    connections: u32,
    ready: oneshot::Sender<()>,
    clients: AcceptedClients,
) -> anyhow::Result<()> {
    let pool = PgPoolOptions::new()
        .min_connections(connections)
        .max_connections(connections)
        .max_lifetime(None)
        .idle_timeout(None)
        // The test would be a round trip for each request. A dead connection fails at its next
        // statement.
        .test_before_acquire(false)
        .connect_with(PgConnectOptions::new())
        .await?;
    let app = match contender {
        Contender::OursJson => router(ours::json(pool)?),
        Contender::OursJsonb => router(ours::jsonb(pool)?),
        Contender::OursTrusted => {
            let endpoint = GraphQl::new(ours::json(pool)?)
                .trusted(operations())
                .await?;
            Router::new().route_service("/graphql", endpoint.only_trusted(true))
        }
        Contender::Axum => plain::router(pool),
        Contender::DataLoader => router(dataloader::schema(pool, None)),
        Contender::DataLoaderEager => router(dataloader::schema(pool, Some(Duration::ZERO))),
        Contender::ByHand | Contender::Triggers => {
            router(by_hand::schema(pool, AfterUpdate::Nothing))
        }
        Contender::Matview => router(by_hand::schema(pool, AfterUpdate::Refresh)),
        other => bail!("{other} is not a server of this program"),
    };
    let _ = ready.send(());
    axum::serve(clients, app).await?;
    Ok(())
}

fn router(schema: impl Executor) -> Router {
    Router::new().route_service("/graphql", GraphQl::new(schema))
}

/// The operations of this contender as trusted documents.
fn operations() -> TrustedDocuments {
    let all = Operation::value_variants().iter();
    let own = all.filter(|operation| Contender::OursTrusted.does(**operation));
    own.fold(TrustedDocuments::new(), |documents, operation| {
        documents.document(operation.name(), operation.text(Uuid::nil()))
    })
}

/// Connections that another thread has accepted.
struct AcceptedClients(mpsc::UnboundedReceiver<std::net::TcpStream>);

impl axum::serve::Listener for AcceptedClients {
    type Io = TcpStream;
    type Addr = ();

    async fn accept(&mut self) -> (TcpStream, ()) {
        loop {
            match self.0.recv().await {
                Some(stream) => {
                    if let Ok(stream) = TcpStream::from_std(stream) {
                        return (stream, ());
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<()> {
        Ok(())
    }
}
