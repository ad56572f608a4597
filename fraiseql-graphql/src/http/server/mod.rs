//! A server for routers that limits connections, and the time that each may take.
//!
//! `axum::serve` waits for ever: for a request that does not come, for headers that do not end, for a
//! client that does not read; and it opens as many connections as there are clients. [`Server`]
//! accepts connections up to a maximum, [`idle`] knows which of them have no request, and
//! [`connection`] runs one.

mod connection;
mod host;
mod idle;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower_service::Service;

use self::connection::Connection;
use self::idle::Idle;

/// The pause after the process could not accept a connection, usually because it has as many files
/// open as it may have.
const PAUSE: Duration = Duration::from_millis(50);

/// A server for a router: HTTP/1.1 with a limit on connections and with time limits.
///
/// | | default | setting |
/// |---|---|---|
/// | connections at a time | 512 | [`max_connections`](Self::max_connections) |
/// | time for the headers of a request, and for the next request | 15 s | [`header_timeout`](Self::header_timeout) |
/// | time in which the client reads nothing of a response | 30 s | [`write_timeout`](Self::write_timeout) |
///
/// At the maximum, the connection that has been without a request for the longest time is closed for
/// a new one: silent connections, however many they are, do not keep others out. If all connections
/// have a request, a new one waits.
///
/// A request with two `Host` headers, or in HTTP/1.1 with none, is refused with 400: two programs in
/// a row could read it differently. The time and the size of a request's body are limits of
/// [`GraphQl`](crate::http::GraphQl).
///
/// ```
/// use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
/// use axum::Router;
/// use fraiseql_graphql::http::{GraphQl, Server};
/// use std::time::Duration;
///
/// # struct Query;
/// # #[Object]
/// # impl Query { async fn one(&self) -> i32 { 1 } }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
/// let app: Router = Router::new().route_service("/graphql", GraphQl::new(schema));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
///
/// let shutdown = tokio::time::sleep(Duration::from_millis(10)); // usually a signal
/// Server::new()
///     .max_connections(1_000)
///     .header_timeout(Duration::from_secs(10))
///     .serve(listener, app, shutdown)
///     .await;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a server does nothing until it serves"]
pub struct Server {
    max_connections: usize,
    header_timeout: Duration,
    write_timeout: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            max_connections: 512,
            header_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(30),
        }
    }
}

impl Server {
    /// A server with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum number of open connections. 512 by default: half of the number of files that
    /// a process usually may open. At least one.
    pub fn max_connections(self, connections: usize) -> Self {
        Self {
            max_connections: connections.clamp(1, Semaphore::MAX_PERMITS),
            ..self
        }
    }

    /// Sets the time for the headers of a request. It begins when the connection is opened, or when
    /// the response before has been sent: it is also the time after which a connection without
    /// requests is closed. 15 seconds by default.
    ///
    /// Behind a proxy that keeps connections open, set a time that is longer than the proxy's.
    pub fn header_timeout(self, limit: Duration) -> Self {
        Self {
            header_timeout: limit,
            ..self
        }
    }

    /// Sets the time after which a connection is closed whose client reads nothing of a response.
    /// 30 seconds by default.
    pub fn write_timeout(self, limit: Duration) -> Self {
        Self {
            write_timeout: limit,
            ..self
        }
    }

    /// Serves a router until `shutdown` completes and the requests that had begun by then have been
    /// answered. Connections without a request are closed at once.
    ///
    /// It runs on tokio, whose time and IO must be enabled. If its future is dropped, no more
    /// connections are accepted, and those that are open are not closed.
    pub async fn serve<S>(
        self,
        listener: TcpListener,
        service: S,
        shutdown: impl Future<Output = ()>,
    ) where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
    {
        let permits = Arc::new(Semaphore::new(self.max_connections));
        let idle = Arc::new(Idle::default());
        // Dropped when the server shuts down.
        let (running, stopped) = watch::channel(());
        let accepting = async {
            loop {
                let Some((stream, peer)) = accept(&listener, &idle).await else {
                    continue;
                };
                let permit = room(&permits, &idle).await;
                let connection = Connection {
                    peer,
                    service: service.clone(),
                    idle: Arc::clone(&idle),
                    stopped: stopped.clone(),
                    header_timeout: self.header_timeout,
                    write_timeout: self.write_timeout,
                    held: Arc::new(permit),
                };
                tokio::spawn(connection.run(stream));
            }
        };
        tokio::select! {
            () = shutdown => {}
            () = accepting => {}
        }
        drop((listener, running));
        // All permits are back when all connections have ended. The number is within `u32`, unless
        // there is no limit to speak of.
        let all = u32::try_from(self.max_connections).unwrap_or(u32::MAX);
        let _ = permits.acquire_many(all).await;
    }
}

/// Accepts a connection. `None` after an error.
async fn accept(listener: &TcpListener, idle: &Idle) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
        // The client has gone already.
        Err(error) if is_about_the_client(&error) => None,
        Err(_) => {
            idle.close_oldest();
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}

fn is_about_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// Waits until there is room for a connection, for which one without a request is closed.
async fn room(permits: &Arc<Semaphore>, idle: &Idle) -> OwnedSemaphorePermit {
    loop {
        if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
            return permit;
        }
        idle.close_oldest();
        tokio::select! {
            permit = Arc::clone(permits).acquire_owned() => match permit {
                Ok(permit) => return permit,
                // The semaphore is never closed.
                Err(_) => std::future::pending().await,
            },
            // A connection has become idle, and can be closed.
            () = idle.changed() => {}
        }
    }
}
