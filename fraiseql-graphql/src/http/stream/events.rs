//! Server-sent events, as of the protocol of `graphql-sse` in its mode of distinct connections: each request is a stream of
//! its own, with an event `next` for each response, and an event `complete` at the end.

use std::convert::Infallible;
use std::time::Duration;

use async_graphql::{Executor, Response as GraphQlResponse};
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Response};
use futures_util::stream::{self, BoxStream, StreamExt as _};

use crate::http::endpoint::GraphQl;
use crate::http::request::Asked;
use crate::http::stream::lifetime::{self, Lifetime};
use crate::http::stream::session::Session;
use crate::response::write_response;

/// The first bytes: proxies and clients see that the stream is open.
const OPENED: &[u8] = b":\n\n";
const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";

/// Tells nginx not to collect a response before it sends it.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

struct Events {
    responses: BoxStream<'static, GraphQlResponse>,
    session: Session,
    lifetime: Option<Lifetime>,
    keep_alive: Duration,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Complete,
    Ended,
}

impl<E: Executor> GraphQl<E> {
    /// Answers a request with a stream of events.
    pub(in crate::http) async fn events(
        &self,
        asked: Asked,
        session: Session,
        lifetime: Option<Lifetime>,
        is_read: bool,
    ) -> Response<Body> {
        let events = Events {
            responses: self.open(asked, session.data(), is_read).await,
            session,
            lifetime,
            keep_alive: self.settings.keep_alive,
            state: State::New,
        };
        let bytes = stream::unfold(events, async |mut events| {
            let bytes = events.next().await?;
            Some((Ok::<_, Infallible>(bytes), events))
        });
        let mut response = Response::new(Body::from_stream(bytes));
        let headers = response.headers_mut();
        let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
        set(CONTENT_TYPE, "text/event-stream; charset=utf-8");
        set(CACHE_CONTROL, "no-store");
        set(X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(X_ACCEL_BUFFERING, "no");
        response
    }
}

impl Events {
    async fn next(&mut self) -> Option<Bytes> {
        match self.state {
            State::New => {
                self.state = State::Open;
                return Some(Bytes::from_static(OPENED));
            }
            State::Open => {}
            State::Complete => {
                self.state = State::Ended;
                return Some(Bytes::from_static(COMPLETE));
            }
            State::Ended => return None,
        }
        let response = tokio::select! {
            response = self.responses.next() => response,
            () = tokio::time::sleep(self.keep_alive) => return Some(Bytes::from_static(OPENED)),
            // The client connects again, to another server.
            () = lifetime::end(&mut self.lifetime) => return None,
        };
        let Some(response) = response else {
            self.state = State::Ended;
            return Some(Bytes::from_static(COMPLETE));
        };
        let response = match self.session.check().await {
            Ok(()) => response,
            Err(refusal) => {
                self.state = State::Complete;
                refusal.response()
            }
        };
        Some(event(&response))
    }
}

/// The event of a response.
fn event(response: &GraphQlResponse) -> Bytes {
    let mut event = b"event: next\ndata: ".to_vec();
    let start = event.len();
    write_response(response, &mut event);
    // A line break would end the field. In JSON, one that is not escaped is a space.
    for byte in &mut event[start..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    event.extend_from_slice(b"\n\n");
    event.into()
}
