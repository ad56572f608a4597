//! WebSockets, in the protocol [`graphql-transport-ws`](https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md).

use std::collections::HashMap;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;

use async_graphql::{Executor, Response as GraphQlResponse};
use axum::body::Body;
use axum::extract::FromRequestParts as _;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::header::UPGRADE;
use axum::http::request::Parts;
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse as _;
use futures_util::stream::{self, AbortHandle, BoxStream, SelectAll, StreamExt as _};
use tokio::time::{Instant, sleep_until};

use crate::http::deadline::Deadline;
use crate::http::endpoint::GraphQl;
use crate::http::refusal::Refusal;
use crate::http::request::{Requests, from_body};
use crate::http::service::too_slow;
use crate::http::stream::lifetime::{self, Lifetime};
use crate::http::stream::messages::{self, ClientMessage, Closed};
use crate::http::stream::origin;
use crate::http::stream::session::{Session, of_request};

/// The buffer of a connection for what it reads: idle ones are many.
const READ_BUFFER: usize = 4 * 1024;

/// Whether a request asks for a WebSocket.
pub(in crate::http) fn is_upgrade(parts: &Parts) -> bool {
    let upgrade = parts.headers.get(UPGRADE);
    parts.method == Method::GET
        && upgrade.is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

impl<E: Executor> GraphQl<E> {
    /// Opens a WebSocket, if the page may and the hooks of the application accept its headers.
    pub(in crate::http) async fn upgrade(
        &self,
        mut parts: Parts,
    ) -> Result<Response<Body>, Refusal> {
        let settings = &self.settings;
        origin::check(&parts, &settings.allowed_origins)?;
        let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
        let upgrade = upgrade.map_err(|rejection| {
            Refusal::new(StatusCode::BAD_REQUEST, rejection.to_string()).code("BAD_REQUEST")
        })?;
        let upgrade = upgrade
            .protocols([messages::PROTOCOL])
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(settings.max_body)
            .max_frame_size(settings.max_body);
        if upgrade.selected_protocol().is_none() {
            let message = "the subprotocol of a WebSocket is graphql-transport-ws";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
        }
        let deadline = Deadline::after(settings.timeout);
        let inserts = deadline.limit(of_request(settings, &parts)).await;
        let inserts = inserts.ok_or_else(too_slow)??;
        let lifetime = Lifetime::of(&parts.extensions);
        let session = Session::new(Arc::clone(settings), parts, inserts);
        let endpoint = self.clone();
        Ok(upgrade
            .on_upgrade(async move |socket| {
                let connection = Connection::new(endpoint, socket, session);
                connection.run(lifetime).await;
            })
            .into_response())
    }
}

/// A response of an operation, or its end. The number tells operations apart that have had one id.
struct Element {
    id: Arc<str>,
    number: u64,
    response: Option<GraphQlResponse>,
}

struct Operation {
    number: u64,
    stop: AbortHandle,
}

struct Connection<E> {
    endpoint: GraphQl<E>,
    socket: WebSocket,
    session: Session,
    is_initialised: bool,
    /// The operations that run.
    operations: HashMap<Arc<str>, Operation>,
    begun: u64,
    elements: SelectAll<BoxStream<'static, Element>>,
    heard: Instant,
    /// Whether a ping has not been answered.
    pinged: bool,
}

impl<E: Executor> Connection<E> {
    fn new(endpoint: GraphQl<E>, socket: WebSocket, session: Session) -> Self {
        Self {
            endpoint,
            socket,
            session,
            is_initialised: false,
            operations: HashMap::new(),
            begun: 0,
            elements: SelectAll::new(),
            heard: Instant::now(),
            pinged: false,
        }
    }

    async fn run(mut self, mut lifetime: Option<Lifetime>) {
        let closed = loop {
            let silent = sleep_until(self.heard + self.silence());
            let step = tokio::select! {
                received = self.socket.recv() => match received {
                    Some(Ok(message)) => self.received(message).await,
                    // The client has gone, or does not speak the protocol of WebSockets.
                    Some(Err(_)) | None => Break(None),
                },
                Some(element) = self.elements.next(), if !self.elements.is_empty() => {
                    self.element(element).await
                }
                () = silent => self.silent().await,
                () = lifetime::end(&mut lifetime) => Break(Some(Closed::shutdown())),
            };
            if let Break(closed) = step {
                break closed;
            }
        };
        if let Some(Closed { code, reason }) = closed {
            let reason = reason.into();
            let _ = self
                .socket
                .send(Message::Close(Some(CloseFrame { code, reason })))
                .await;
        }
    }

    /// How long the client may be silent before something is done about it.
    fn silence(&self) -> std::time::Duration {
        let settings = &self.endpoint.settings;
        match self.is_initialised {
            true => settings.keep_alive,
            false => settings.timeout,
        }
    }

    async fn silent(&mut self) -> ControlFlow<Option<Closed>> {
        if !self.is_initialised {
            return Break(Some(Closed::initialisation_timeout()));
        }
        // A client that is there answers.
        if std::mem::replace(&mut self.pinged, true) {
            return Break(None);
        }
        self.heard = Instant::now();
        self.send(Message::Ping(axum::body::Bytes::new())).await
    }

    async fn send(&mut self, message: Message) -> ControlFlow<Option<Closed>> {
        match self.socket.send(message).await {
            Ok(()) => Continue(()),
            Err(_) => Break(None),
        }
    }

    async fn received(&mut self, message: Message) -> ControlFlow<Option<Closed>> {
        self.heard = Instant::now();
        self.pinged = false;
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Break(Some(Closed::bad_message("Send text messages"))),
            Message::Ping(_) | Message::Pong(_) => return Continue(()),
            Message::Close(_) => return Break(None),
        };
        let message = match ClientMessage::read(&text) {
            Ok(message) => message,
            Err(error) => {
                let reason = format!("Invalid message: {error}");
                return Break(Some(Closed::bad_message(&reason)));
            }
        };
        match message {
            ClientMessage::ConnectionInit { payload } => self.initialise(payload).await,
            ClientMessage::Ping { payload } => {
                let pong = messages::pong(payload);
                self.send(Message::text(pong)).await
            }
            ClientMessage::Pong => Continue(()),
            ClientMessage::Subscribe { .. } if !self.is_initialised => {
                Break(Some(Closed::not_initialised()))
            }
            ClientMessage::Subscribe { id, payload } => {
                self.subscribe(id.into(), payload.get().as_bytes()).await
            }
            ClientMessage::Complete { id } => {
                if let Some(operation) = self.operations.remove(id.as_str()) {
                    operation.stop.abort();
                }
                Continue(())
            }
        }
    }

    async fn initialise(&mut self, payload: serde_json::Value) -> ControlFlow<Option<Closed>> {
        if self.is_initialised {
            return Break(Some(Closed::initialised_twice()));
        }
        let deadline = Deadline::after(self.endpoint.settings.timeout);
        let connected = deadline.limit(self.session.connect(payload)).await;
        if let Err(refusal) = connected.unwrap_or_else(|| Err(too_slow())) {
            return Break(Some(Closed::forbidden(refusal.message())));
        }
        self.is_initialised = true;
        self.send(Message::text(messages::ACK)).await
    }

    async fn subscribe(&mut self, id: Arc<str>, payload: &[u8]) -> ControlFlow<Option<Closed>> {
        if self.operations.contains_key(&id) {
            return Break(Some(Closed::duplicate(&id)));
        }
        let most = self.endpoint.settings.max_operations;
        if self.operations.len() >= most {
            return Break(Some(Closed::too_many(most)));
        }
        let asked = match from_body(payload, None) {
            Ok(Requests::Single(asked)) => *asked,
            // A list was refused.
            Ok(Requests::Batch(_)) => return Continue(()),
            Err(refusal) => return Break(Some(Closed::bad_message(refusal.message()))),
        };
        let endpoint = self.endpoint.clone();
        let data = self.session.data();
        let opened = stream::once(async move { endpoint.open(asked, data, false).await }).flatten();
        let (elements, stop) = stream::abortable(opened);
        self.begun += 1;
        let number = self.begun;
        let of = Arc::clone(&id);
        let end = stream::once(std::future::ready(None));
        let elements = elements.map(Some).chain(end).map(move |response| Element {
            id: Arc::clone(&of),
            number,
            response,
        });
        self.elements.push(elements.boxed());
        self.operations.insert(id, Operation { number, stop });
        Continue(())
    }

    async fn element(&mut self, element: Element) -> ControlFlow<Option<Closed>> {
        let Element {
            id,
            number,
            response,
        } = element;
        // The client may have stopped it, and may use its id for another one.
        let operation = self.operations.get(&id);
        if operation.is_none_or(|operation| operation.number != number) {
            return Continue(());
        }
        let Some(response) = response else {
            self.operations.remove(&id);
            return self.send(Message::text(messages::complete(&id))).await;
        };
        if let Err(refusal) = self.session.check().await {
            return Break(Some(Closed::forbidden(refusal.message())));
        }
        let (message, is_last) = messages::next(&id, &response);
        drop(response);
        if is_last && let Some(operation) = self.operations.remove(&id) {
            operation.stop.abort();
        }
        self.send(Message::text(message)).await
    }
}
