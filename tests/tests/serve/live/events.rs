//! Server-sent events, line by line.

use std::time::Duration;

use axum::http::StatusCode;
use fraiseql_graphql::http::{GraphQl, Refusal};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;

use super::{Listening, soon, world};

/// A response of which lines are read. Chunks end with lines, so that their sizes are lines as well.
pub(super) struct Events {
    lines: Lines<BufReader<TcpStream>>,
    head: Vec<String>,
}

impl Events {
    pub(super) async fn get(server: &Listening, query: &str) -> Self {
        Self::try_get(server, query).await.expect("no response")
    }

    /// The same, of a server that may be gone.
    pub(super) async fn try_get(server: &Listening, query: &str) -> Option<Self> {
        let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let request = format!(
            "GET /graphql?query={query} HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n"
        );
        Self::send(server, &request).await
    }

    pub(super) async fn post(server: &Listening, body: &Value) -> Self {
        let body = body.to_string();
        let length = body.len();
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        Self::send(server, &request).await.expect("no response")
    }

    async fn send(server: &Listening, request: &str) -> Option<Self> {
        let mut stream = TcpStream::connect(server.address).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut lines = BufReader::new(stream).lines();
        let mut head = Vec::new();
        loop {
            let line = soon(lines.next_line()).await.ok()??;
            if line.is_empty() {
                return Some(Self { lines, head });
            }
            head.push(line);
        }
    }

    async fn line(&mut self) -> Option<String> {
        soon(self.lines.next_line()).await.ok().flatten()
    }

    /// The next event, with its data. None at the end.
    pub(super) async fn next(&mut self) -> Option<(String, Value)> {
        let mut event = None;
        loop {
            let line = self.line().await?;
            if let Some(name) = line.strip_prefix("event: ") {
                event = Some(name.to_owned());
            } else if let (Some(data), Some(event)) = (line.strip_prefix("data:"), &event) {
                let data = match data.trim() {
                    "" => Value::Null,
                    data => serde_json::from_str(data).unwrap(),
                };
                return Some((event.clone(), data));
            }
        }
    }

    pub(super) async fn data(&mut self) -> Value {
        let (event, data) = self.next().await.expect("the stream has ended");
        assert_eq!(event, "next");
        data
    }
}

#[tokio::test]
async fn a_subscription_is_a_stream_of_events() {
    let world = world().await;
    let server = world.serve().await;
    let query = "subscription { post(id: 3) { title } }";
    let mut get = Events::get(&server, query).await;
    assert_eq!(get.head[0], "HTTP/1.1 200 OK");
    for header in [
        "content-type: text/event-stream; charset=utf-8",
        "cache-control: no-store",
    ] {
        assert!(get.head.iter().any(|line| line == header), "{:?}", get.head);
    }
    let mut post = Events::post(&server, &json!({"query": query})).await;
    let title = |title: &str| json!({"data": {"post": {"title": title}}});
    for events in [&mut get, &mut post] {
        assert_eq!(events.data().await, title("Post 3"));
    }
    world.title(3, "New").await;
    for events in [&mut get, &mut post] {
        assert_eq!(events.data().await, title("New"));
    }
    assert_eq!(world.feed.health().streams, 2);
    drop((get, post));
    while world.feed.health().streams > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn anything_else_is_one_event_and_the_end() {
    let world = world().await;
    let server = world.serve().await;
    let end = || Some(("complete".to_owned(), Value::Null));
    let mut query = Events::get(&server, "{ post(id: 3) { title } }").await;
    assert_eq!(
        query.data().await,
        json!({"data": {"post": {"title": "Post 3"}}})
    );
    assert_eq!(query.next().await, end());
    let mut invalid = Events::get(&server, "subscription { nothing }").await;
    assert!(invalid.data().await["errors"][0]["message"].is_string());
    assert_eq!(invalid.next().await, end());
    // A mutation with GET, and what is no request at all.
    let mut mutation = Events::get(&server, "mutation { a }").await;
    assert_eq!(
        mutation.data().await["errors"][0]["message"],
        "a mutation is sent with POST"
    );
    assert_eq!(mutation.next().await, end());
    let bad = Events::post(&server, &json!({"query": 7})).await;
    assert_eq!(bad.head[0], "HTTP/1.1 400 Bad Request");
    let list = Events::post(&server, &json!([])).await;
    assert_eq!(list.head[0], "HTTP/1.1 400 Bad Request");
}

/// A line break in a document would end its line in the stream.
#[tokio::test]
async fn line_breaks_of_documents_stay_in_their_event() {
    let world = world().await;
    let server = world.serve().await;
    let query = r#"subscription { line(orderId: 1, product: "pen") { quantity } }"#;
    fraiseql_tests::run(
        &world.pool,
        "UPDATE tv_line SET data = E'{\"orderId\":1,\r\n\"product\":\"pen\",\n\n\"quantity\":\n9}' WHERE product = 'pen'",
    )
    .await;
    let mut events = Events::get(&server, query).await;
    assert_eq!(
        events.data().await,
        json!({"data": {"line": {"quantity": 9}}})
    );
    world.title(3, "a\nb\r\nc").await;
    let mut events = Events::get(&server, "subscription { post(id: 3) { title } }").await;
    assert_eq!(
        events.data().await,
        json!({"data": {"post": {"title": "a\nb\r\nc"}}})
    );
}

#[tokio::test]
async fn a_silent_stream_has_comments_and_ends_with_the_server() {
    let world = world().await;
    let endpoint = GraphQl::new(world.schema.clone()).keep_alive(Duration::from_millis(50));
    let server = Listening::start(endpoint).await;
    let mut events = Events::get(&server, "subscription { post(id: 3) { title } }").await;
    events.data().await;
    let mut comments = 0;
    while comments < 3 {
        comments += u32::from(events.line().await.unwrap() == ":");
    }
    server.shut_down().await;
    while events.line().await.is_some() {}
}

/// What a hook allows when the stream begins, it may refuse later.
#[tokio::test]
async fn hooks_are_asked_again_while_a_stream_is_open() {
    let world = world().await;
    let allowed = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&allowed);
    let endpoint = GraphQl::new(world.schema.clone())
        .recheck(Some(Duration::ZERO))
        .with_data(move |_| {
            let allowed = asked.load(Ordering::Relaxed);
            let refused = || Refusal::new(StatusCode::UNAUTHORIZED, "signed out");
            async move { allowed.then_some(7_i32).ok_or_else(refused) }
        });
    let server = Listening::start(endpoint).await;
    let query = "subscription { post(id: 3) { title } }";
    let mut events = Events::get(&server, query).await;
    let mut socket = super::sockets::Socket::connect(&server).await;
    socket.subscribe("a", query).await;
    events.data().await;
    socket.receive().await;
    allowed.store(false, Ordering::Relaxed);
    world.title(3, "Secret").await;
    let refused = events.data().await;
    assert_eq!(refused["errors"][0]["message"], "signed out", "{refused}");
    assert_eq!(
        events.next().await,
        Some(("complete".to_owned(), Value::Null))
    );
    assert_eq!(
        socket.receive().await,
        json!({"code": 4403, "reason": "signed out"})
    );
    let head = Events::get(&server, query).await.head;
    assert_eq!(head[0], "HTTP/1.1 401 Unauthorized");
}
