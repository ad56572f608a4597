//! Clients that do not behave: silent connections, unfinished headers, bodies that are too large.

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::Blog;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

async fn connect(blog: &Blog) -> TcpStream {
    let address = blog.url.trim_start_matches("http://");
    TcpStream::connect(address).await.unwrap()
}

/// Sends bytes, and returns what comes until the connection is closed.
async fn exchange(blog: &Blog, request: &[u8]) -> String {
    let mut stream = connect(blog).await;
    // The server may answer, and close, before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn silent_connections_do_not_keep_others_out() {
    let blog = Blog::start(7).await;
    let mut silent = Vec::new();
    for _ in 0..1_100 {
        silent.push(connect(&blog).await);
    }
    let began = Instant::now();
    let data = blog.data("{ posts(limit: 1) { id } }", json!({})).await;
    assert_eq!(data["posts"].as_array().unwrap().len(), 1);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn unfinished_headers_end_their_connection() {
    let blog = Blog::start(0).await;
    let began = Instant::now();
    let answer = exchange(&blog, b"GET /health HTTP/1.1\r\nhost: a\r\nx-slow: ").await;
    assert!(!answer.contains("200 OK"), "{answer}");
    assert!(
        began.elapsed() < Duration::from_secs(25),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_in_the_form_of_graphql() {
    let blog = Blog::start(0).await;
    let body = json!({"query": "{ __typename }", "variables": {"a": "x".repeat(2 << 20)}});
    let body = body.to_string();
    let head = "POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let declared = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let mut chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
    for chunk in body.as_bytes().chunks(100_000) {
        chunked += &format!(
            "{:x}\r\n{}\r\n",
            chunk.len(),
            String::from_utf8_lossy(chunk)
        );
    }
    chunked += "0\r\n\r\n";
    let only_declared = format!("{head}content-length: 5000000\r\n\r\n");
    for request in [declared, chunked, only_declared] {
        let answer = exchange(&blog, request.as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(
            head.to_lowercase()
                .contains("content-type: application/json"),
            "{head}"
        );
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "PAYLOAD_TOO_LARGE");
    }
}

#[tokio::test]
async fn two_hosts_are_refused() {
    let blog = Blog::start(0).await;
    for path in ["/health", "/graphql?query={__typename}", "/"] {
        let request =
            |hosts: &str| format!("GET {path} HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
        let answer = exchange(&blog, request("host: a\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        for hosts in ["host: a\r\nhost: b\r\n", "host: a\r\nhost: a\r\n", ""] {
            let answer = exchange(&blog, request(hosts).as_bytes()).await;
            assert!(
                answer.starts_with("HTTP/1.1 400"),
                "{path} {hosts:?}: {answer}"
            );
        }
    }
}
