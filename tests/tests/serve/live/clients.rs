//! The published clients of both protocols, graphql-ws and graphql-sse, against the server.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use fraiseql_tests::node::node;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Listening, World, soon, world};

/// A client in a process of its own.
struct Client {
    lines: mpsc::UnboundedReceiver<String>,
    child: Child,
}

impl Client {
    fn start(protocol: &str, server: &Listening, query: &str) -> Option<Self> {
        let scheme = if protocol == "ws" { "ws" } else { "http" };
        let mut program = node()?.program("live.mjs");
        let request = json!({"query": query}).to_string();
        program.args([protocol, &server.url(scheme), &request]);
        program.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (said, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            out.lines()
                .map_while(Result::ok)
                .try_for_each(|line| said.send(line))
        });
        Some(Self { lines, child })
    }

    async fn next(&mut self) -> Value {
        let line = soon(self.lines.recv()).await;
        serde_json::from_str(&line.expect("the client has ended")).unwrap()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn follows(world: &World, protocol: &str) -> Option<()> {
    let server = world.serve().await;
    world.title(3, "Post 3").await;
    let mut post = Client::start(protocol, &server, "subscription { post(id: 3) { title } }")?;
    let mut changes = Client::start(
        protocol,
        &server,
        "subscription { postChanged { kind id } }",
    )?;
    let mut query = Client::start(protocol, &server, "{ post(id: 4) { title } }")?;
    let mut invalid = Client::start(protocol, &server, "subscription { nothing }")?;
    let title = |title: &str| json!({"next": {"data": {"post": {"title": title}}}});
    let change = |kind, id: Option<i32>| json!({"next": {"data": {"postChanged": {"kind": kind, "id": id}}}});
    assert_eq!(query.next().await, title("Post 4"));
    assert_eq!(query.next().await, json!({"complete": true}));
    let error = invalid.next().await;
    let errors = match protocol {
        "ws" => &error["error"],
        _ => &error["next"]["errors"],
    };
    let message = errors[0]["message"]
        .as_str()
        .unwrap_or_else(|| panic!("{error}"));
    assert!(message.contains("nothing"), "{message}");
    assert_eq!(post.next().await, title("Post 3"));
    assert_eq!(changes.next().await, change("RESET", None));
    for round in 0..20 {
        let new = format!("Round {round}");
        world.title(3, &new).await;
        assert_eq!(post.next().await, title(&new));
        assert_eq!(changes.next().await, change("CHANGED", Some(3)));
    }
    Some(())
}

#[tokio::test]
async fn graphql_ws_follows_subscriptions() {
    let _ = follows(&world().await, "ws").await;
}

#[tokio::test]
async fn graphql_sse_follows_subscriptions() {
    let _ = follows(&world().await, "sse").await;
}
