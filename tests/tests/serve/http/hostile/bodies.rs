//! Tests that hostile bodies are refused: malformed, too large, too slow.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use fraiseql_graphql::http::GraphQl;
use fraiseql_tests::web::{ACCEPT, JSON, Server, User, shop};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{SOON, assert_alive, server};

#[tokio::test]
async fn invalid_utf_8_is_an_error() {
    let server = server().await;
    let headers = [JSON, ACCEPT];
    for body in [
        &b"{\"query\": \"{ hello \xff }\"}"[..],
        b"\xff\xfe{\"query\": \"{ hello }\"}",
        b"{\"query\": \"\\ud800\"}",
        b"{\"query\": \"{ hello }\xc3\"}",
        b"\xef\xbb\xbf{\"query\": \"{ hello }\"}",
        b"\0\0\0\0",
    ] {
        let answer = server.request("POST /graphql", &headers, body).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.json()["errors"][0]["message"].is_string());
    }
    // A header that is not text is ignored.
    let mut head = b"POST /graphql HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: \xff\r\n\
                     Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        .to_vec();
    assert_eq!(server.send(&head).await.status, 406);
    head = head.replace_text("Accept: ", "Content-Type: \u{e9}");
    assert_eq!(server.send(&head).await.status, 415);
    assert_alive(&server).await;
}

trait ReplaceText {
    fn replace_text(&self, from: &str, to: &str) -> Vec<u8>;
}

impl ReplaceText for Vec<u8> {
    fn replace_text(&self, from: &str, to: &str) -> Vec<u8> {
        let at = self
            .windows(from.len())
            .position(|window| window == from.as_bytes())
            .unwrap();
        [&self[..at], to.as_bytes(), &self[at + from.len()..]].concat()
    }
}

#[tokio::test]
async fn deeply_nested_json_is_an_error() {
    let server = server().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let query = "query($v: JSON!) {echo(value: $v)}";
    let body = format!(r#"{{"query": "{query}", "variables": {{"v": {deep}}}}}"#);
    server
        .post(&body)
        .await
        .assert_refused(400, "recursion limit");
    let server = Server::start(GraphQl::new(shop().0).max_batch(2)).await;
    assert_eq!(server.post(&deep).await.status, 400);
    assert_alive(&server).await;
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused() {
    let server = server().await;
    let body = format!(r#"{{"query": "{{hello}}{}"}}"#, " ".repeat(10_000_000));
    let answer = server.post(&body).await;
    answer.assert_refused(413, "1048576 bytes at most");
    // A body without a content length.
    let head = "POST /graphql HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut chunked = head.as_bytes().to_vec();
    for chunk in body.as_bytes().chunks(65_536) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = server.send(&chunked).await;
    answer.assert_refused(413, "1048576 bytes at most");
    // A body of exactly the limit is accepted.
    let body = r#"{"query": "{hello}"}"#;
    let server = Server::start(GraphQl::new(shop().0).max_body(body.len())).await;
    assert_eq!(server.post(body).await.status, 200);
    assert_eq!(server.post(&format!("{body} ")).await.status, 413);
    // A client that waits for `100 Continue` is refused before it sends the body.
    let mut stream = server.connect().await;
    let head = "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                Expect: 100-continue\r\nContent-Length: 10000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    let server = server().await;
    for encoding in ["gzip", "br", "deflate, gzip", "identity, gzip", "x"] {
        let header = format!("Content-Encoding: {encoding}");
        let answer = server
            .request("POST /graphql", &[JSON, &header], b"\x1f\x8b")
            .await;
        answer.assert_refused(415, "compressed");
        assert_eq!(answer.header("accept-encoding"), "identity");
    }
    let headers = [JSON, "Content-Encoding: identity"];
    let answer = server.request("POST /graphql", &headers, br#"{"query": "{hello}"}"#);
    assert_eq!(answer.await.status, 200);
}

#[tokio::test]
async fn a_body_that_never_ends_is_refused_at_the_time_limit() {
    let endpoint = GraphQl::new(shop().0).timeout(Duration::from_millis(300));
    let server = Server::start(endpoint).await;
    let head = "POST /graphql HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"query\"";
    let answer = server.send(head.as_bytes()).await;
    answer.assert_refused(408, "was not sent within the time limit");
    assert_alive(&server).await;
}

#[tokio::test]
async fn a_truncated_body_is_not_executed() {
    let (schema, watch) = shop();
    let server = Server::start(GraphQl::new(schema)).await;
    let mut stream = server.connect().await;
    let head = "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                Content-Length: 1000\r\n\r\n{\"query\": \"mutation {buy}\"}";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    // The server has closed the connection, or responded.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    assert_eq!(watch.bought.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert_alive(&server).await;
}

#[tokio::test]
async fn json_with_keys_that_serializers_treat_specially_is_refused() {
    let server = server().await;
    let fake = json!({"$serde_json::private::RawValue": "1},\"errors\":[{\"message\":\"x\"}"});
    let nested = json!([{"a": [fake]}]);
    let escaped = r#"{"\u0024serde_json::private::RawValue": "[1]"}"#;
    for field in ["echo", "any"] {
        let scalar = if field == "any" { "Any" } else { "JSON" };
        let query = format!("query($v: {scalar}!) {{{field}(value: $v)}}");
        for value in [fake.to_string(), nested.to_string(), escaped.to_owned()] {
            let body = format!(r#"{{"query": "{query}", "variables": {{"v": {value}}}}}"#);
            server
                .post(&body)
                .await
                .assert_refused(400, "cannot have keys");
        }
        let body = format!(r#"{{"query": "{query}", "variables": {{"v": {{"$a": [1, null]}}}}}}"#);
        let answer = server.post(&body).await;
        assert_eq!(answer.json(), json!({"data": {field: {"$a": [1, null]}}}));
    }
    // In a GET, in the extensions, in a batch.
    let value = "%7B%22$serde_json::private::RawValue%22:%22[1]%22%7D";
    let query = format!("query=query($v:Any!){{any(value:$v)}}&variables={{%22v%22:{value}}}");
    server
        .get(&query)
        .await
        .assert_refused(400, "cannot have keys");
    let body = json!({"query": "{hello}", "extensions": {"a": fake}}).to_string();
    server
        .post(&body)
        .await
        .assert_refused(400, "cannot have keys");
}

#[tokio::test]
async fn the_time_limit_does_not_wait_for_a_refused_body() {
    // An unauthorized client is refused before its body has arrived.
    let endpoint = GraphQl::new(shop().0)
        .with_data(|_| std::future::ready(Err::<User, _>(StatusCode::UNAUTHORIZED)));
    let server = Server::of(Router::new().route_service("/graphql", endpoint)).await;
    let mut stream = server.connect().await;
    let head = "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                Content-Length: 1000\r\n\r\n{\"query\"";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    let read = stream.read_exact(&mut start);
    tokio::time::timeout(SOON, read).await.unwrap().unwrap();
    assert_eq!(&start, b"HTTP/1.1 401");
}
