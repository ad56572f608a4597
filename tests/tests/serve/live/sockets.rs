//! The protocol `graphql-transport-ws`, message by message.

use std::time::Duration;

use axum::http::StatusCode;
use fraiseql_graphql::http::GraphQl;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::{self, http::HeaderValue};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Listening, soon, world};

/// A client that sends and receives single messages.
pub(super) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// A handshake with headers.
async fn handshake(
    url: &str,
    headers: &[(&'static str, &str)],
) -> Result<Socket, tungstenite::Error> {
    let mut request = url.into_client_request()?;
    for (name, value) in headers {
        request
            .headers_mut()
            .insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let (socket, response) = connect_async(request).await?;
    let protocol = response.headers().get("sec-websocket-protocol");
    assert_eq!(protocol.unwrap(), "graphql-transport-ws");
    Ok(Socket(socket))
}

impl Socket {
    async fn open(server: &Listening) -> Self {
        Self::try_open(server).await.unwrap()
    }

    async fn try_open(server: &Listening) -> Result<Self, tungstenite::Error> {
        let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
        handshake(&server.url("ws"), &protocol).await
    }

    /// One that the server has acknowledged.
    pub(super) async fn connect(server: &Listening) -> Self {
        Self::try_connect(server).await.expect("not acknowledged")
    }

    /// The same, of a server that may be gone.
    pub(super) async fn try_connect(server: &Listening) -> Option<Self> {
        let mut socket = Self::try_open(server).await.ok()?;
        let init = json!({"type": "connection_init"}).to_string();
        socket.0.send(Message::text(init)).await.ok()?;
        let ack = socket.try_receive().await?;
        (ack == json!({"type": "connection_ack"})).then_some(socket)
    }

    pub(super) async fn send(&mut self, message: Value) {
        self.text(&message.to_string()).await;
    }

    async fn text(&mut self, text: &str) {
        // What the server has closed says so when it is read.
        let _ = self.0.send(Message::text(text)).await;
    }

    pub(super) async fn subscribe(&mut self, id: &str, query: &str) {
        let payload = json!({"query": query});
        self.send(json!({"type": "subscribe", "id": id, "payload": payload}))
            .await;
    }

    /// The next message that is not a ping.
    pub(super) async fn try_receive(&mut self) -> Option<Value> {
        loop {
            match soon(self.0.next()).await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Close(frame)) => {
                    let frame = frame.unwrap();
                    let code: u16 = frame.code.into();
                    return Some(json!({"code": code, "reason": frame.reason.as_str()}));
                }
                _ => return None,
            }
        }
    }

    pub(super) async fn receive(&mut self) -> Value {
        self.try_receive().await.expect("the connection has ended")
    }

    async fn data(&mut self, id: &str) -> Value {
        let mut message = self.receive().await;
        assert_eq!(
            (&message["type"], &message["id"]),
            (&json!("next"), &json!(id)),
            "{message}"
        );
        message["payload"]["data"].take()
    }
}

#[tokio::test]
async fn operations_are_answered_until_they_are_complete() {
    let world = world().await;
    let server = world.serve().await;
    let mut socket = Socket::connect(&server).await;
    socket
        .subscribe("a", "subscription { post(id: 3) { title } }")
        .await;
    assert_eq!(socket.data("a").await, json!({"post": {"title": "Post 3"}}));
    // Queries are operations, too.
    socket.subscribe("b", "{ post(id: 4) { title } }").await;
    assert_eq!(socket.data("b").await, json!({"post": {"title": "Post 4"}}));
    assert_eq!(
        socket.receive().await,
        json!({"type": "complete", "id": "b"})
    );

    world.title(3, "New").await;
    assert_eq!(socket.data("a").await, json!({"post": {"title": "New"}}));
    socket.send(json!({"type": "complete", "id": "a"})).await;
    // The id may be used again at once, and nothing of the first operation comes.
    socket
        .subscribe("a", "subscription { post(id: 5) { title } }")
        .await;
    assert_eq!(socket.data("a").await, json!({"post": {"title": "Post 5"}}));
    world.title(3, "Newer").await;
    world.title(5, "Five").await;
    assert_eq!(socket.data("a").await, json!({"post": {"title": "Five"}}));
    assert_eq!(world.feed.health().streams, 1);

    socket
        .send(json!({"type": "ping", "payload": {"a": 1}}))
        .await;
    assert_eq!(
        socket.receive().await,
        json!({"type": "pong", "payload": {"a": 1}})
    );
    socket.send(json!({"type": "pong"})).await;

    // An operation that cannot be executed is an error, and its end.
    socket.subscribe("c", "subscription { nothing }").await;
    let error = socket.receive().await;
    assert_eq!(
        (&error["type"], &error["id"]),
        (&json!("error"), &json!("c")),
        "{error}"
    );
    assert!(error["payload"][0]["message"].is_string(), "{error}");
    drop(socket);
    while world.feed.health().streams > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_breaks_the_protocol_closes_the_connection() {
    let world = world().await;
    let server = world.serve().await;
    let init = json!({"type": "connection_init"}).to_string();
    let subscribe = |id| {
        let payload = json!({"query": "subscription { postChanged { kind } }"});
        json!({"type": "subscribe", "id": id, "payload": payload}).to_string()
    };
    let no_query = json!({"type": "subscribe", "id": "a", "payload": {"query": 7}}).to_string();
    let cases: [(&[&str], u16, &str); 7] = [
        (&[&subscribe("a")], 4401, "Unauthorized"),
        (&[&init, &init], 4429, "Too many initialisation requests"),
        (
            &[&init, &subscribe("a"), &subscribe("a")],
            4409,
            "Subscriber for a already exists",
        ),
        (&["{"], 4400, "Invalid message"),
        (&[r#"{"type":"start","id":"a"}"#], 4400, "Invalid message"),
        (
            &[&init, &no_query],
            4400,
            "the body is not a GraphQL request",
        ),
        (
            &[&init, r#"{"type":"subscribe","id":"a","payload":[]}"#],
            4400,
            "this server accepts one request",
        ),
    ];
    for (messages, code, reason) in cases {
        let mut socket = Socket::open(&server).await;
        for message in messages {
            socket.text(message).await;
        }
        loop {
            let message = socket.receive().await;
            if message["code"].is_number() {
                let found = message["reason"].as_str().unwrap();
                assert_eq!(message["code"], code, "{message}");
                assert!(found.starts_with(reason), "{message}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_handshake_is_refused_with_a_status() {
    let world = world().await;
    let server = world.serve().await;
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    let status = async |headers: &[(&'static str, &str)]| match handshake(
        &server.url("ws"),
        headers,
    )
    .await
    {
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        other => panic!("{:?}", other.err()),
    };
    assert_eq!(status(&[]).await, StatusCode::BAD_REQUEST);
    assert_eq!(
        status(&[("sec-websocket-protocol", "graphql-ws")]).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        status(&[protocol, ("origin", "https://evil.example")]).await,
        StatusCode::FORBIDDEN
    );
    // The page of the server itself.
    let origin = format!("http://{}", server.address);
    handshake(&server.url("ws"), &[protocol, ("origin", &origin)])
        .await
        .unwrap();
}

#[tokio::test]
async fn clients_that_are_silent_are_closed() {
    let world = world().await;
    let endpoint = GraphQl::new(world.schema.clone()).timeout(Duration::from_millis(300));
    let server = Listening::start(endpoint.keep_alive(Duration::from_millis(200))).await;
    let mut socket = Socket::open(&server).await;
    let closed = socket.receive().await;
    assert_eq!(
        closed,
        json!({"code": 4408, "reason": "Connection initialisation timeout"})
    );

    // One that is there answers pings, as long as it reads.
    let mut socket = Socket::connect(&server).await;
    socket
        .subscribe("a", "subscription { post(id: 3) { title } }")
        .await;
    socket.data("a").await;
    let mut pings = 0;
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        let message = soon(socket.0.next()).await.unwrap().unwrap();
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
        pings += 1;
    }
    assert!((2..=6).contains(&pings), "{pings}");
    world.title(3, "New").await;
    assert_eq!(socket.data("a").await, json!({"post": {"title": "New"}}));

    // One that does not read is gone.
    while world.feed.health().streams > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_connection_has_a_number_of_operations() {
    let world = world().await;
    let endpoint = GraphQl::new(world.schema.clone()).max_operations(2);
    let server = Listening::start(endpoint).await;
    let mut socket = Socket::connect(&server).await;
    for id in ["a", "b"] {
        socket
            .subscribe(id, "subscription { post(id: 3) { title } }")
            .await;
        socket.data(id).await;
    }
    socket
        .subscribe("c", "subscription { post(id: 3) { title } }")
        .await;
    let closed = socket.receive().await;
    assert_eq!(
        closed,
        json!({"code": 4429, "reason": "A connection has at most 2 operations"})
    );
}

#[tokio::test]
async fn a_server_that_shuts_down_closes_what_is_open() {
    let world = world().await;
    let server = world.serve().await;
    let mut socket = Socket::connect(&server).await;
    socket
        .subscribe("a", "subscription { post(id: 3) { title } }")
        .await;
    socket.data("a").await;
    let closing = server.shut_down();
    let reads = async {
        let closed = socket.receive().await;
        assert_eq!(
            closed,
            json!({"code": 1001, "reason": "The server shuts down"})
        );
        drop(socket);
    };
    tokio::join!(closing, reads);
}
