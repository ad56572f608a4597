//! The blog in operation: what a monitor asks it, and the files that deploy it.

mod exposition;
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
    let answer = blog.client.get(url).send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
    (answer.status(), answer.json().await.unwrap())
}

async fn metrics(blog: &Blog) -> Metrics {
    let url = format!("{}/metrics", blog.url);
    let answer = blog.client.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    Metrics::parse(&answer.text().await.unwrap())
}

/// The reason why it is not ready.
async fn reason(blog: &Blog) -> String {
    let (status, answer) = get(blog, "/ready").await;
    assert_eq!(status, 503, "{answer}");
    assert_eq!(answer["status"], "not ready");
    answer["reason"].as_str().unwrap().to_owned()
}

async fn assert_ready(blog: &Blog) {
    let ready = (StatusCode::OK, json!({"status": "ready"}));
    assert_eq!(get(blog, "/ready").await, ready);
}

async fn create(blog: &Blog, query: &str, field: &str, variables: Value) -> String {
    let data = blog.data(query, variables).await;
    data[field]["id"].as_str().unwrap().to_owned()
}

/// Asks again until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn metrics_are_what_was_done() {
    const USERS: usize = 3;
    let blog = Blog::start(0).await;
    let before = metrics(&blog).await;
    // An increase from nothing is none for Prometheus.
    for outcome in ["inserted", "updated", "unchanged", "deleted", "invalid"] {
        let documents = [("entity", "user"), ("outcome", outcome)];
        assert_eq!(
            before.value("fraiseql_sync_documents_total", &documents),
            0.0
        );
    }

    let mut users = Vec::new();
    for n in 0..USERS {
        let name = json!({"name": format!("ada{n}")});
        users.push(create(&blog, CREATE_USER, "createUser", name).await);
    }
    let author = json!({"author": users[0]});
    let post = create(&blog, CREATE_POST, "createPost", author).await;
    let comment = json!({"post": post, "author": users[1]});
    create(&blog, CREATE_COMMENT, "createComment", comment).await;
    // The author is in their own document, in the post's, and in the comment's.
    blog.data(RENAME, json!({"id": users[1]})).await;
    // A command that fails commits nothing.
    let taken = blog.ask(CREATE_USER, json!({"name": "ada0"})).await;
    assert_eq!(taken["errors"][0]["extensions"]["code"], "TAKEN");

    let after = metrics(&blog).await;
    let documents = |entity, outcome| {
        let labels = [("entity", entity), ("outcome", outcome)];
        after.value("fraiseql_sync_documents_total", &labels)
    };
    assert_eq!(documents("user", "inserted"), USERS as f64);
    assert_eq!(documents("post", "inserted"), 1.0);
    assert_eq!(documents("comment", "inserted"), 1.0);
    assert_eq!(documents("comment", "updated"), 1.0);
    assert_eq!(documents("comment", "deleted"), 0.0);

    let synced = [("entity", "user"), ("mode", "sync"), ("success", "true")];
    let batches = after.value("fraiseql_sync_batches_total", &synced);
    let times = after.value("fraiseql_sync_batch_duration_seconds_count", &synced);
    assert_eq!(batches, times);
    let rows: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sync_log WHERE entity = 'user' AND mode = 'sync' AND success",
    )
    .fetch_one(&blog.pool)
    .await
    .unwrap();
    assert_eq!(batches, rows as f64);

    // The post with its author; the comment with its post and its author; and what is renamed.
    let mutations = after.value("fraiseql_mutation_dependents_count", &[]);
    assert_eq!(mutations, 3.0);
    assert_eq!(
        after.value("fraiseql_mutation_dependents_sum", &[]),
        2.0 + 3.0 + 3.0
    );
    let of_posts = [("entity", "post")];
    assert_eq!(
        after.value("fraiseql_mutation_view_dependents_sum", &of_posts),
        3.0
    );
    let committed = [("success", "true")];
    assert_eq!(
        after.value(
            "fraiseql_mutation_commit_duration_seconds_count",
            &committed
        ),
        3.0
    );
    assert_eq!(after.value("fraiseql_mutation_retries_total", &[]), 0.0);

    let asked = [("route", "/graphql"), ("method", "POST"), ("status", "200")];
    assert_eq!(
        after.value("blog_http_requests_total", &asked),
        (USERS + 4) as f64
    );
    let timed = [("route", "/graphql"), ("method", "POST")];
    assert_eq!(
        after.value("blog_http_request_duration_seconds_count", &timed),
        (USERS + 4) as f64
    );
    // This one.
    assert_eq!(after.value("blog_http_requests_in_flight", &[]), 1.0);
    assert_eq!(after.value("blog_pool_connections_max", &[]), 10.0);
    let open = |state| after.value("blog_pool_connections", &[("state", state)]);
    assert!((1.0..=10.0).contains(&(open("busy") + open("idle"))));
    assert_eq!(after.value("blog_ready", &[]), 1.0);
    assert_eq!(after.value("blog_slow_syncs_total", &of_posts), 0.0);
}

#[tokio::test]
async fn a_busy_pool_shows() {
    let blog = Blog::start_with(&["--posts", "0", "--connections", "4"]).await;
    let mut transaction = blog.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE tb_user")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let (name, other) = (json!({"name": "ada"}), json!({"name": "bob"}));
    let waiting = async { tokio::join!(blog.ask(CREATE_USER, name), blog.ask(CREATE_USER, other)) };
    let watching = async {
        until("two wait on their connections", async || {
            let metrics = metrics(&blog).await;
            // A connection that readiness was asked on may be on its way back.
            metrics.value("blog_pool_connections", &[("state", "busy")]) >= 2.0
                && metrics.value("blog_http_requests_in_flight", &[]) == 3.0
        })
        .await;
        transaction.rollback().await.unwrap();
    };
    let ((ada, bob), ()) = tokio::join!(waiting, watching);
    assert!(ada["errors"].is_null() && bob["errors"].is_null());
    until("they are done", async || {
        let metrics = metrics(&blog).await;
        metrics.value("blog_http_requests_in_flight", &[]) == 1.0
    })
    .await;
}

#[tokio::test]
async fn clients_cannot_make_labels_up() {
    let blog = Blog::start(0).await;
    for path in ["/nothing", "/else?query=1", "/graphql/more"] {
        let url = format!("{}{path}", blog.url);
        assert_eq!(blog.client.get(url).send().await.unwrap().status(), 404);
    }
    for path in ["/graphql", "/nothing"] {
        let brew = Method::from_bytes(b"BREW").unwrap();
        let request = blog.client.request(brew, format!("{}{path}", blog.url));
        request.send().await.unwrap();
    }
    let metrics = metrics(&blog).await;
    let unmatched = [("route", "unmatched"), ("method", "GET"), ("status", "404")];
    assert_eq!(metrics.value("blog_http_requests_total", &unmatched), 3.0);
    let routes = metrics.labels("blog_http_requests_total", "route");
    assert_eq!(Vec::from_iter(routes), ["/graphql", "unmatched"]);
    let methods = metrics.labels("blog_http_requests_total", "method");
    assert_eq!(Vec::from_iter(methods), ["GET", "other"]);
}

#[tokio::test]
async fn a_client_that_goes_away_is_counted() {
    let blog = Blog::start(0).await;
    let mut transaction = blog.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE tb_user")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let body = json!({"query": CREATE_USER, "variables": {"name": "ada"}});
    let request = blog
        .client
        .post(format!("{}/graphql", blog.url))
        .timeout(Duration::from_millis(300))
        .json(&body);
    assert!(request.send().await.unwrap_err().is_timeout());
    until("it is counted", async || {
        let metrics = metrics(&blog).await;
        let cancelled = [("route", "/graphql"), ("status", "cancelled")];
        metrics.find("blog_http_requests_total", &cancelled) == [1.0]
            && metrics.value("blog_http_requests_in_flight", &[]) == 1.0
    })
    .await;
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn the_last_day_is_what_the_log_says() {
    const QUERY: &str = "query ($entity: String) { syncMetrics(entityType: $entity) {
        totalSyncs24h avgDurationMs successRate failures24h } }";
    let blog = Blog::start(0).await;
    let of = async |entity: Option<&str>| {
        let mut data = blog.data(QUERY, json!({"entity": entity})).await;
        data["syncMetrics"].take()
    };

    let nothing = json!({"total_syncs": 0, "avg_duration_ms": null, "success_rate": null});
    let nothing_of = |entity: &str| {
        let mut nothing = nothing.clone();
        nothing["entity_type"] = entity.into();
        nothing
    };
    let (status, answer) = get(&blog, "/metrics.json").await;
    assert_eq!(status, 200);
    assert_eq!(
        answer,
        json!({"sync_metrics_24h": {
            "overall": nothing,
            "by_entity": [nothing_of("user"), nothing_of("post"), nothing_of("comment")],
        }})
    );
    assert_eq!(
        of(None).await,
        json!({"totalSyncs24h": 0, "avgDurationMs": null, "successRate": null, "failures24h": 0})
    );

    sqlx::raw_sql(
        "INSERT INTO sync_log (at, entity, mode, keys, inserted, updated, unchanged, deleted,
                               invalid, duration, retries, success)
         SELECT now() - age, entity, 'sync', 1, 0, 1, 0, 0, 0, duration, 0, success
         FROM (VALUES ('1 hour'::interval, 'user', '1500 microseconds'::interval, true),
                      ('23 hours 59 minutes', 'user', '2 milliseconds', true),
                      ('2 hours', 'user', '3 milliseconds', true),
                      ('3 hours', 'user', '9500 microseconds', false),
                      ('1 minute', 'comment', '4 milliseconds', true),
                      ('24 hours 1 minute', 'post', '1 hour', false),
                      ('1 minute', 'gone', '1 hour', false))
              AS syncs (age, entity, duration, success)",
    )
    .execute(&blog.pool)
    .await
    .unwrap();
    let (_, answer) = get(&blog, "/metrics.json").await;
    assert_eq!(
        answer,
        json!({"sync_metrics_24h": {
            "overall": {"total_syncs": 5, "avg_duration_ms": 4.0, "success_rate": 0.8},
            "by_entity": [
                {"entity_type": "user", "total_syncs": 4, "avg_duration_ms": 4.0, "success_rate": 0.75},
                nothing_of("post"),
                {"entity_type": "comment", "total_syncs": 1, "avg_duration_ms": 4.0, "success_rate": 1.0},
            ],
        }})
    );
    assert_eq!(
        of(None).await,
        json!({"totalSyncs24h": 5, "avgDurationMs": 4.0, "successRate": 0.8, "failures24h": 1})
    );
    assert_eq!(
        of(Some("user")).await,
        json!({"totalSyncs24h": 4, "avgDurationMs": 4.0, "successRate": 0.75, "failures24h": 1})
    );
    assert_eq!(of(Some("post")).await["totalSyncs24h"], 0);

    // One that is really done.
    blog.data(CREATE_USER, json!({"name": "ada"})).await;
    assert_eq!(of(Some("user")).await["totalSyncs24h"], 5);

    let unknown = blog.ask(QUERY, json!({"entity": "posts"})).await;
    assert_eq!(
        unknown["errors"][0]["message"],
        "there is no entity `posts`: it is one of `user`, `post`, `comment`"
    );
    assert_eq!(unknown["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn it_is_ready_when_the_database_answers_and_fits() {
    let blog = Blog::start(10).await;
    assert_ready(&blog).await;

    let run = async |sql: &'static str| {
        sqlx::raw_sql(sql).execute(&blog.pool).await.unwrap();
    };
    run("UPDATE _sqlx_migrations SET success = false WHERE version = 1").await;
    assert_eq!(reason(&blog).await, "1 migrations were not run");
    assert_eq!(metrics(&blog).await.value("blog_ready", &[]), 0.0);
    run("UPDATE _sqlx_migrations SET success = true").await;
    assert_ready(&blog).await;

    // As while another release makes the documents its own.
    run("CREATE TABLE kept AS TABLE fraiseql_view; DELETE FROM fraiseql_view").await;
    assert_ready(&blog).await;
    run("INSERT INTO fraiseql_view TABLE kept").await;
    assert_eq!(metrics(&blog).await.value("blog_ready", &[]), 1.0);

    let mut transaction = blog.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE _sqlx_migrations")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let start = Instant::now();
    assert_eq!(
        reason(&blog).await,
        "the database does not answer within 1s"
    );
    assert!(start.elapsed() < Duration::from_secs(5));
    transaction.rollback().await.unwrap();
    assert_ready(&blog).await;
}

#[tokio::test]
async fn it_is_not_ready_while_the_database_is_gone() {
    let blog = Blog::start(0).await;
    assert_ready(&blog).await;
    let database = blog.pool.connect_options();
    let name = database.get_database().unwrap().to_owned();
    let elsewhere = (*database).clone().database("postgres");
    let mut connection = PgConnection::connect_with(&elsewhere).await.unwrap();
    let mut allow = async |allowed: bool| {
        let sql = format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS {allowed}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .unwrap();
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
            .bind(&name)
            .execute(&mut connection)
            .await
            .unwrap();
    };
    allow(false).await;
    let why = reason(&blog).await;
    let known = [
        "the database cannot be asked",
        "the database does not answer within 1s",
    ];
    assert!(known.contains(&why.as_str()), "{why}");
    // A restart would not mend it.
    let alive = (StatusCode::OK, json!({"status": "ok"}));
    assert_eq!(get(&blog, "/health").await, alive);
    let (status, _) = get(&blog, "/metrics.json").await;
    assert_eq!(status, 503);
    assert_eq!(metrics(&blog).await.value("blog_ready", &[]), 0.0);

    allow(true).await;
    until("it is ready again", async || {
        get(&blog, "/ready").await.0 == StatusCode::OK
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn it_says_that_it_ends_before_it_does() {
    let mut blog = Blog::start_with(&["--posts", "0", "--drain", "60s"]).await;
    assert_ready(&blog).await;
    let terminate = || {
        let done = std::process::Command::new("kill")
            .arg(blog.pid().to_string())
            .status();
        assert!(done.unwrap().success());
    };
    terminate();
    until("it is not ready", async || {
        get(&blog, "/ready").await.0 == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    assert_eq!(reason(&blog).await, "it is shutting down");
    // It still answers.
    blog.data(CREATE_USER, json!({"name": "ada"})).await;
    // Who asks twice is in a hurry.
    let start = Instant::now();
    terminate();
    assert!(blog.wait().success());
    assert!(start.elapsed() < Duration::from_secs(30));
}

/// A blog whose events are read.
struct Noisy {
    url: String,
    lines: mpsc::Receiver<String>,
    child: Child,
}

impl Noisy {
    async fn start(arguments: &[&str]) -> Self {
        let server = dev_postgres::Server::shared().unwrap();
        let database = server.create_database().await.unwrap();
        let mut child = support::command(&database)
            .args(["--posts", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let events = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = events
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line));
        });
        let url = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("The blog is at ")?.1.to_owned()))
            .expect("the blog says where it is");
        Self { url, lines, child }
    }

    /// Creates a user, and answers with the request's ID.
    async fn create_user(&self) -> String {
        let answer = reqwest::Client::new()
            .post(format!("{}/graphql", self.url))
            .json(&json!({"query": CREATE_USER, "variables": {"name": "ada"}}))
            .send()
            .await
            .unwrap();
        answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// All that it has written, once it has ended.
    fn end(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.iter().collect()
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn slow_syncs_are_warned_of_with_the_request_that_made_them() {
    let blog = Noisy::start(&["--slow-sync", "0ms", "--log-format", "json"]).await;
    let request = blog.create_user().await;
    let url = format!("{}/metrics", blog.url);
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let slow = Metrics::parse(&text).value("blog_slow_syncs_total", &[("entity", "user")]);
    assert_eq!(slow, 1.0);

    let lines = blog.end();
    let events = lines.iter().map(|line| -> Value {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    });
    let warning = events
        .into_iter()
        .find(|event| event["message"] == "slow sync")
        .unwrap_or_else(|| panic!("no warning in {lines:#?}"));
    assert_eq!(warning["level"], "WARN");
    assert_eq!(
        [&warning["entity"], &warning["mode"], &warning["documents"]],
        [&json!("user"), &json!("sync"), &json!(1)]
    );
    assert_eq!(warning["keys"].as_str().unwrap().len(), 36, "{warning}");
    assert!(warning["duration_ms"].as_f64().unwrap() > 0.0);
    let span = &warning["spans"][0];
    assert_eq!(span["id"], request.as_str());
    assert_eq!(
        (&span["method"], &span["path"]),
        (&json!("POST"), &json!("/graphql"))
    );
}

#[tokio::test]
async fn syncs_that_are_fast_enough_are_not_warned_of() {
    let blog = Noisy::start(&["--slow-sync", "1h"]).await;
    blog.create_user().await;
    let lines = blog.end();
    assert!(
        !lines.iter().any(|line| line.contains("slow sync")),
        "{lines:#?}"
    );
    // The same in words for people.
    let blog = Noisy::start(&["--slow-sync", "0ms"]).await;
    let request = blog.create_user().await;
    let lines = blog.end();
    let is_it = |line: &&String| line.contains("slow sync") && line.contains(&request);
    assert_eq!(lines.iter().filter(is_it).count(), 1, "{lines:#?}");
}
