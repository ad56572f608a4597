//! The page at `/`: how it is served, what a request did, and all of it in a browser.

#[path = "page/browser.rs"]
mod browser;
mod support;

use std::path::Path;

use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH};
use serde_json::{Value, json};
use support::Blog;

/// Set, the picture of the README is painted anew.
const PICTURE: &str = "BLOG_PICTURE";

#[tokio::test]
async fn the_files_of_the_page_are_served_with_their_types_and_kept_by_browsers() {
    let blog = Blog::start(0).await;
    for (path, content_type, begins) in [
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/page.css", "text/css; charset=utf-8", ":root"),
        ("/page.js", "text/javascript; charset=utf-8", "//"),
        ("/api.js", "text/javascript; charset=utf-8", "//"),
        ("/icon.svg", "image/svg+xml", "<svg"),
    ] {
        let request = blog.client.get(format!("{}{path}", blog.url));
        let answer = request.try_clone().unwrap().send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let headers = answer.headers().clone();
        assert_eq!(headers[CONTENT_TYPE], content_type);
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
        assert!(policy.contains("require-trusted-types-for 'script'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        let body = answer.text().await.unwrap();
        assert!(body.starts_with(begins), "{path}");

        // What a browser has is not sent again.
        let again = request.header(IF_NONE_MATCH, &headers[ETAG]);
        let again = again.send().await.unwrap();
        assert_eq!(again.status(), 304, "{path}");
        assert_eq!(again.headers()[ETAG], headers[ETAG]);
        assert!(again.headers().contains_key("content-security-policy"));
        assert_eq!(again.text().await.unwrap(), "");
    }
    let answer = blog.client.post(&blog.url).send().await.unwrap();
    assert_eq!(answer.status(), 405);
}

#[tokio::test]
async fn a_request_that_asks_is_told_what_it_did() {
    let blog = Blog::start(20).await;
    let posts = "{ posts(limit: 5) { id title author { username fullName } commentCount } }";
    let [sql, rest] = told(&blog, posts, &json!({})).await;
    assert_eq!(sql, "1 statement");
    assert_eq!(rest, "", "a query begins no transaction, and syncs nothing");

    let (author, reader) = (join(&blog, "ada").await, join(&blog, "grace").await);
    let query = "mutation ($author: ID!) {
        createPost(authorId: $author, title: \"Notes\", content: \"On it\") { id }
    }";
    let post = blog.data(query, json!({"author": author})).await["createPost"]["id"].take();
    let comment = "mutation ($post: ID!, $author: ID!) {
        createComment(postId: $post, authorId: $author, content: \"Hello\") { id }
    }";
    let variables = json!({"post": post, "author": reader});
    // The first one may have to look at the tables.
    blog.data(comment, variables.clone()).await;
    for _ in 0..2 {
        let [sql, rest] = told(&blog, comment, &variables).await;
        // Two of the command and one that reads the answer; a lock, the dependents of the
        // comment; for its document, the post's and the author's four, three and three.
        assert_eq!(sql, "15 statements");
        // BEGIN, COMMIT; two savepoints for each document.
        assert_eq!(
            rest,
            "transaction: 14 statements; \
             sync: comment: 1 inserted, post: 1 updated, user: 1 updated"
        );
    }

    let like = "mutation ($post: ID!, $author: ID!, $wait: Boolean!) {
        likePost(id: $post, userId: $author, wait: $wait) { likeCount }
    }";
    let mut variables = json!({"post": post, "author": reader, "wait": true});
    let [sql, rest] = told(&blog, like, &variables).await;
    assert_eq!(sql, "4 statements", "those of the task that counts it, too");
    assert_eq!(rest, "sync: post: 1 updated");
    // Its document cannot be written until the answer is there.
    let mut tx = blog.pool.begin().await.unwrap();
    let id: uuid::Uuid = serde_json::from_value(post.clone()).unwrap();
    sqlx::query("SELECT FROM tv_post WHERE id = $1 FOR UPDATE")
        .bind(id)
        .execute(&mut *tx)
        .await
        .unwrap();
    variables["wait"] = json!(false);
    variables["author"] = author;
    let [sql, rest] = told(&blog, like, &variables).await;
    assert_eq!(sql, "2 statements", "what is done later is not known");
    assert_eq!(rest, "");
    tx.rollback().await.unwrap();
    variables["wait"] = json!(true);
    blog.data(like, variables).await;

    let update = "mutation ($post: ID!) { updatePost(id: $post, version: 9) { id } }";
    let [sql, rest] = told(&blog, update, &json!({"post": post})).await;
    assert_eq!(sql, "2 statements", "a conflict is found by two");
    assert_eq!(rest, "transaction: 2 statements", "BEGIN, ROLLBACK");

    let delete = "mutation ($post: ID!) { deletePost(id: $post) { id } }";
    let [_, rest] = told(&blog, delete, &json!({"post": post})).await;
    let documents = rest.split_once("sync: ").unwrap().1;
    assert_eq!(
        documents,
        "comment: 3 deleted, post: 1 deleted, user: 1 updated, 1 unchanged"
    );
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_request_that_does_not_ask_is_not_told() {
    let blog = Blog::start(0).await;
    for asks in [None, Some("0"), Some("true")] {
        let (headers, _) = ask(&blog, asks, "{ posts(limit: 5) { id } }", &json!({})).await;
        assert!(!headers.contains_key("server-timing"), "{asks:?}");
    }
}

#[tokio::test]
async fn the_page_in_a_browser() {
    let Some(browser) = browser::find() else {
        return;
    };
    let blog = Blog::start(100).await;
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/blog.png");
    let picture = std::env::var_os(PICTURE).map(|_| picture);
    let mut command = browser.drive(&blog.url, picture.as_deref());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{failed}");
    println!("{said}");
    blog.assert_synced().await;
}

async fn join(blog: &Blog, name: &str) -> Value {
    let query = "mutation ($name: String!) { createUser(username: $name, fullName: $name) { id } }";
    blog.data(query, json!({"name": name})).await["createUser"]["id"].take()
}

/// What the header says: of statements, and the rest by name, without the times.
async fn told(blog: &Blog, query: &str, variables: &Value) -> [String; 2] {
    let (headers, answer) = ask(blog, Some("1"), query, variables).await;
    let header = headers["server-timing"].to_str().unwrap();
    let mut metrics: Vec<(&str, &str)> = Vec::new();
    let mut left = header;
    while !left.is_empty() {
        let (name, after) = left.split_once(';').unwrap();
        let (said, after) = match after.strip_prefix("desc=\"") {
            Some(after) => after.split_once("\";").unwrap(),
            None => ("", after),
        };
        let (time, after) = after.split_once(", ").unwrap_or((after, ""));
        let time: f64 = time.strip_prefix("dur=").unwrap().parse().unwrap();
        assert!((0.0..30_000.0).contains(&time), "{header}: {answer}");
        metrics.push((name, said));
        left = after;
    }
    assert_eq!(metrics.pop(), Some(("total", "")));
    assert_eq!(metrics[0].0, "sql", "{header}");
    let rest: Vec<String> = metrics[1..]
        .iter()
        .map(|(name, said)| format!("{name}: {said}"))
        .collect();
    [metrics[0].1.to_owned(), rest.join("; ")]
}

async fn ask(
    blog: &Blog,
    asks: Option<&str>,
    query: &str,
    variables: &Value,
) -> (HeaderMap, Value) {
    let body = json!({"query": query, "variables": variables});
    let mut request = blog
        .client
        .post(format!("{}/graphql", blog.url))
        .json(&body);
    if let Some(asks) = asks {
        request = request.header("x-server-timing", asks);
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    (answer.headers().clone(), answer.json().await.unwrap())
}
