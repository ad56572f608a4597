//! Operations: metrics, readiness and logs of the running program.

#[path = "../exposition/mod.rs"]
mod exposition;
mod logs;
mod metrics;
mod ready;
#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use exposition::Metrics;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use support::Blog;

const CREATE_USER: &str =
    "mutation ($name: String!) { createUser(username: $name, fullName: \"Ada\") { id } }";
const CREATE_POST: &str = "mutation ($author: ID!) {
    createPost(authorId: $author, title: \"Notes\", content: \"On the engine\") { id } }";
const CREATE_COMMENT: &str = "mutation ($post: ID!, $author: ID!) {
    createComment(postId: $post, authorId: $author, content: \"Yes\") { id } }";
const RENAME: &str = "mutation ($id: ID!) { updateUser(id: $id, fullName: \"Countess\") { id } }";

async fn get(blog: &Blog, path: &str) -> (StatusCode, Value) {
    let url = format!("{}{path}", blog.url);
    let response = blog.client.get(url).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store", "{path}");
    (response.status(), response.json().await.unwrap())
}

async fn metrics(blog: &Blog) -> Metrics {
    let url = format!("{}/metrics", blog.url);
    let response = blog.client.get(url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    Metrics::parse(&response.text().await.unwrap())
}

async fn create(blog: &Blog, query: &str, field: &str, variables: Value) -> String {
    let data = blog.data(query, variables).await;
    data[field]["id"].as_str().unwrap().to_owned()
}

/// Waits up to 20 seconds until `condition` is true.
async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
