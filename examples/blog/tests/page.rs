//! The page at `/`: its files, the header `Server-Timing`, and the page in a browser.

#[path = "page/browser.rs"]
mod browser;
mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use support::{Blog, eventually};
use tokio::sync::mpsc;

/// Environment variable; if it is set, the picture of the README is rendered again.
const PICTURE: &str = "BLOG_PICTURE";

#[tokio::test]
async fn the_files_of_the_page_have_content_types_and_etags() {
    let blog = Blog::start(0).await;
    for (path, content_type, begins) in [
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/page.css", "text/css; charset=utf-8", ":root"),
        ("/page.js", "text/javascript; charset=utf-8", "//"),
        ("/api.js", "text/javascript; charset=utf-8", "//"),
        ("/icon.svg", "image/svg+xml", "<svg"),
    ] {
        let request = blog.client.get(format!("{}{path}", blog.url));
        let response = request.try_clone().unwrap().send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let headers = response.headers().clone();
        assert_eq!(headers[CONTENT_TYPE], content_type);
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
        assert!(policy.contains("require-trusted-types-for 'script'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        let body = response.text().await.unwrap();
        assert!(body.starts_with(begins), "{path}");

        // A cached file is not sent again.
        let again = request.header(IF_NONE_MATCH, &headers[ETAG]);
        let again = again.send().await.unwrap();
        assert_eq!(again.status(), 304, "{path}");
        assert_eq!(again.headers()[ETAG], headers[ETAG]);
        assert!(again.headers().contains_key("content-security-policy"));
        assert_eq!(again.text().await.unwrap(), "");
    }
    let response = blog.client.post(&blog.url).send().await.unwrap();
    assert_eq!(response.status(), 405);
}

#[tokio::test]
async fn server_timing_counts_the_statements_and_documents_of_a_request() {
    let blog = Blog::start(20).await;
    let posts = "{ posts(limit: 5) { id title author { username fullName } commentCount } }";
    let [sql, rest] = work_of(&blog, posts, &json!({})).await;
    assert_eq!(sql, "1 statement");
    assert_eq!(rest, "", "a query begins no transaction, and syncs nothing");

    let author = create_user(&blog, "ada").await;
    let reader = create_user(&blog, "grace").await;
    let query = "mutation ($author: ID!) {
        createPost(authorId: $author, title: \"Notes\", content: \"On it\") { id }
    }";
    let post = blog.data(query, json!({"author": author})).await["createPost"]["id"].take();
    let comment = "mutation ($post: ID!, $author: ID!) {
        createComment(postId: $post, authorId: $author, content: \"Hello\") { id }
    }";
    let variables = json!({"post": post, "author": reader});
    // The first mutation may read the catalog, too.
    blog.data(comment, variables.clone()).await;
    for _ in 0..2 {
        let [sql, rest] = work_of(&blog, comment, &variables).await;
        // The command: 3. The flush, which is one function: 1. The read of the result: 1.
        assert_eq!(sql, "5 statements");
        // BEGIN, COMMIT, and a row for each view in the sync log, in a savepoint: one message.
        assert_eq!(
            rest,
            "transaction: 3 statements; \
             sync: comment: 1 inserted, post: 1 updated, user: 1 updated"
        );
    }

    let like = "mutation ($post: ID!, $author: ID!, $wait: Boolean!) {
        likePost(id: $post, userId: $author, wait: $wait) { likeCount }
    }";
    let third = create_user(&blog, "edgar").await;
    let mut variables = json!({"post": post, "author": third, "wait": true});
    blog.data(like, variables.clone()).await;
    variables["author"] = reader;
    let [sql, rest] = work_of(&blog, like, &variables).await;
    // The command: 1. What finds the post and leaves it to the worker: 5. The position of what the worker has
    // written, for a read of a replica: 1. The read: 1.
    assert_eq!(sql, "8 statements", "without those of the worker");
    assert_eq!(rest, "transaction: 2 statements");
    // The lock blocks the worker until after the response.
    let mut tx = blog.pool.begin().await.unwrap();
    let id: uuid::Uuid = serde_json::from_value(post.clone()).unwrap();
    sqlx::query("SELECT FROM tv_post WHERE id = $1 FOR UPDATE")
        .bind(id)
        .execute(&mut *tx)
        .await
        .unwrap();
    variables["wait"] = json!(false);
    variables["author"] = author;
    let [sql, rest] = work_of(&blog, like, &variables).await;
    assert_eq!(sql, "7 statements");
    assert_eq!(rest, "transaction: 2 statements");
    tx.rollback().await.unwrap();
    variables["wait"] = json!(true);
    blog.data(like, variables).await;
    eventually("the like is counted", async || {
        let query = "query ($id: ID!) { post(id: $id) { likeCount } }";
        blog.field(query, json!({"id": post})).await["likeCount"] == 3
    })
    .await;

    let update = "mutation ($post: ID!) { updatePost(id: $post, version: 9) { id } }";
    let [sql, rest] = work_of(&blog, update, &json!({"post": post})).await;
    assert_eq!(
        sql, "3 statements",
        "a lock, the UPDATE, and the read of the version"
    );
    assert_eq!(rest, "transaction: 2 statements", "BEGIN, ROLLBACK");

    let delete = "mutation ($post: ID!) { deletePost(id: $post) { id } }";
    let [_, rest] = work_of(&blog, delete, &json!({"post": post})).await;
    let documents = rest.split_once("sync: ").unwrap().1;
    assert_eq!(
        documents,
        "comment: 3 deleted, post: 1 deleted, user: 1 updated, 1 unchanged"
    );
    blog.assert_synced().await;
}

/// Triggers say which rows were changed, so that the mutation need not look for dependents of marks first.
#[tokio::test]
async fn a_comment_is_few_statements_in_each_mode() {
    for (mode, statements) in [("off", 6), ("queue", 5), ("at-commit", 5)] {
        let blog = Blog::start_with(&["--posts", "3", "--capture", mode]).await;
        let author = create_user(&blog, "ada").await;
        let post = blog.field("{ posts(limit: 1) { id } }", json!({})).await[0]["id"].take();
        let query = "mutation ($post: ID!, $author: ID!) {
            createComment(postId: $post, authorId: $author, content: \"Hello\") { id }
        }";
        let variables = json!({"post": post, "author": author});
        blog.data(query, variables.clone()).await;
        let [sql, rest] = work_of(&blog, query, &variables).await;
        assert_eq!(sql, format!("{statements} statements"), "{mode}");
        let (transaction, documents) = rest.split_once("; sync: ").unwrap();
        assert_eq!(transaction, "transaction: 3 statements", "{mode}");
        assert_eq!(
            documents, "comment: 1 inserted, post: 1 updated, user: 1 updated",
            "{mode}"
        );
        blog.assert_synced().await;
    }
}

#[tokio::test]
async fn server_timing_is_sent_only_on_request() {
    let blog = Blog::start(0).await;
    for value in [None, Some("0"), Some("true")] {
        let (headers, _) = send(&blog, value, "{ posts(limit: 5) { id } }", &json!({})).await;
        assert!(!headers.contains_key("server-timing"), "{value:?}");
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
    let mut driver = command.stdout(Stdio::piped()).spawn().unwrap();
    let (sender, mut lines) = mpsc::unbounded_channel();
    let stdout = BufReader::new(driver.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    while let Some(line) = lines.recv().await {
        println!("{line}");
        // A statement that the page tells the user to run in psql.
        if let Some(sql) = line.strip_prefix("SQL ") {
            let sql = AssertSqlSafe(sql.to_owned());
            sqlx::raw_sql(sql).execute(&blog.pool).await.unwrap();
        }
    }
    reader.join().unwrap();
    assert!(driver.wait().unwrap().success());
    blog.assert_synced().await;
}

async fn create_user(blog: &Blog, name: &str) -> Value {
    let query = "mutation ($name: String!) { createUser(username: $name, fullName: $name) { id } }";
    blog.data(query, json!({"name": name})).await["createUser"]["id"].take()
}

/// Runs a query, and returns the descriptions in its `Server-Timing`, without the durations: that
/// of `sql`, and all others with their names.
async fn work_of(blog: &Blog, query: &str, variables: &Value) -> [String; 2] {
    let (headers, response) = send(blog, Some("1"), query, variables).await;
    let header = headers["server-timing"].to_str().unwrap();
    let mut metrics: Vec<(&str, &str)> = Vec::new();
    let mut rest = header;
    while !rest.is_empty() {
        let (name, after) = rest.split_once(';').unwrap();
        let (description, after) = match after.strip_prefix("desc=\"") {
            Some(after) => after.split_once("\";").unwrap(),
            None => ("", after),
        };
        let (time, after) = after.split_once(", ").unwrap_or((after, ""));
        let time: f64 = time.strip_prefix("dur=").unwrap().parse().unwrap();
        assert!((0.0..30_000.0).contains(&time), "{header}: {response}");
        metrics.push((name, description));
        rest = after;
    }
    assert_eq!(metrics.pop(), Some(("total", "")));
    assert_eq!(metrics[0].0, "sql", "{header}");
    let others: Vec<String> = metrics[1..]
        .iter()
        .map(|(name, description)| format!("{name}: {description}"))
        .collect();
    [metrics[0].1.to_owned(), others.join("; ")]
}

async fn send(
    blog: &Blog,
    x_server_timing: Option<&str>,
    query: &str,
    variables: &Value,
) -> (HeaderMap, Value) {
    let body = json!({"query": query, "variables": variables});
    let mut request = blog
        .client
        .post(format!("{}/graphql", blog.url))
        .json(&body);
    if let Some(value) = x_server_timing {
        request = request.header("x-server-timing", value);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    (response.headers().clone(), response.json().await.unwrap())
}
