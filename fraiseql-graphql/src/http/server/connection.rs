//! One connection: its requests, one after the other, within the time limits.

use std::any::Any;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::{Buf, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;
use tower_service::Service;

use super::host;
use super::idle::{Busy, Idle, Slot};
use crate::http::accept::Format;
use crate::http::encode;
use crate::http::stream::lifetime::Lifetime;

/// A connection that was accepted.
pub(super) struct Connection<S> {
    pub(super) peer: SocketAddr,
    pub(super) service: S,
    pub(super) idle: Arc<Idle>,
    /// Its sender is dropped when the server shuts down.
    pub(super) stopped: watch::Receiver<()>,
    /// What is dropped when the connection has ended.
    pub(super) held: Arc<dyn Any + Send + Sync>,
    pub(super) header_timeout: Duration,
    pub(super) write_timeout: Duration,
}

impl<S> Connection<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    /// Serves its requests until it is closed: by the client, by a time limit, for another
    /// connection, or because the server shuts down.
    pub(super) async fn run(self, stream: TcpStream) {
        let Self {
            peer,
            service,
            idle,
            mut stopped,
            held,
            header_timeout,
            write_timeout,
        } = self;
        // A response is written as a whole: there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(write_timeout));
        let slot = Slot::new(idle);
        let requests = Arc::clone(&slot);
        let lifetime = Lifetime::new(stopped.clone(), held);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(lifetime.clone());
            respond(service.clone(), request, peer, requests.busy())
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(header_timeout)
            .serve_connection(TokioIo::new(Box::pin(stream)), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let stopped = async {
            let _ = stopped.changed().await;
        };
        tokio::select! {
            // An error is a client that broke off or a time limit. Nobody is left to hear of it.
            _ = connection.as_mut() => {}
            () = slot.closed() => {}
            // hyper would wait for the rest of unfinished headers.
            () = stopped => if !slot.is_idle() {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }
}

/// Answers one request.
async fn respond<S>(
    mut service: S,
    request: Request<Incoming>,
    peer: SocketAddr,
    busy: Busy,
) -> Result<Response<BusyBody>, Infallible>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let response = match host::check(&request) {
        Ok(()) => {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            poll_fn(|cx| service.poll_ready(cx)).await?;
            service.call(request).await?
        }
        Err(refusal) => encode::refuse(&refusal, Format::Json),
    };
    let busy = Arc::new(busy);
    Ok(response.map(|body| BusyBody { body, busy }))
}

/// The body of a response. Its connection has a request until the last byte has been written: the
/// body itself ends when hyper has taken its data, which may be megabytes.
struct BusyBody {
    body: Body,
    busy: Arc<Busy>,
}

/// A piece of a body, until it has been written.
struct BusyData {
    data: Bytes,
    _busy: Arc<Busy>,
}

impl HttpBody for BusyBody {
    type Data = BusyData;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<BusyData>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let busy = &self.busy;
        Poll::Ready(frame.map(|frame| {
            Ok(frame?.map_data(|data| BusyData {
                data,
                _busy: Arc::clone(busy),
            }))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Buf for BusyData {
    fn remaining(&self) -> usize {
        self.data.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.data.chunk()
    }

    fn advance(&mut self, bytes: usize) {
        self.data.advance(bytes);
    }
}
