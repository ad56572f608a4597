//! The program's command line: help, invalid options, unreachable databases, repeated starts.

mod support;

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use support::{Blog, command, database};

/// Runs the program, which must exit within 30 seconds.
async fn run(mut command: Command) -> Output {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = tokio::time::timeout(Duration::from_secs(30), output).await;
    output.expect("the program does not exit").unwrap()
}

/// Standard error of the program, which must fail.
async fn stderr_of_failure(command: Command) -> String {
    let output = run(command).await;
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The program without a database. Each test passes options that end it before it starts one.
fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blog"));
    command.env_remove("DATABASE_URL").env("RUST_LOG", "error");
    command
}

/// A database on a port where no server listens.
fn unreachable() -> PgConnectOptions {
    "postgres://somebody:secret@127.0.0.1:1/blog"
        .parse()
        .unwrap()
}

#[tokio::test]
async fn help_names_every_option_and_every_address() {
    let mut help = bare();
    help.arg("--help");
    let output = run(help).await;
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for part in [
        "--port <PORT>",
        "BLOG_PORT=",
        "[default: 8000]",
        "--host <HOST>",
        "[default: 127.0.0.1]",
        "--database-url <URL>",
        "DATABASE_URL]",
        "--connections",
        "--posts",
        "[default: 1000]",
        "--capture <CAPTURE>",
        "BLOG_CAPTURE=",
        "[default: queue]",
        "- at-commit:",
        "--drop-left-over",
        "--reset",
        "curl localhost:8000/graphql",
        "/graphql",
        "/metrics",
        "/health",
        "/ready",
    ] {
        assert!(help.contains(part), "{part} is not in\n{help}");
    }
}

#[tokio::test]
async fn the_example_query_of_the_help_works() {
    let mut help = bare();
    help.arg("--help");
    let help = String::from_utf8(run(help).await.stdout).unwrap();
    let query = help.split_once("\"query\": \"").unwrap().1;
    let query = query.split_once("\"}'").unwrap().0.to_owned();
    let blog = Blog::start(7).await;
    let posts = blog.field(&query, json!({})).await;
    assert_eq!(posts.as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_port_in_use_is_reported_with_a_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut blog = bare();
    // The port is checked before the database.
    blog.args([
        "--port",
        &port,
        "--database-url",
        "postgres://127.0.0.1:1/blog",
    ]);
    let stderr = stderr_of_failure(blog).await;
    assert!(
        stderr.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{stderr}"
    );
    assert!(stderr.contains("--port 0"), "{stderr}");
}

#[tokio::test]
async fn an_unreachable_database_is_reported_at_once() {
    let start = Instant::now();
    let stderr = stderr_of_failure(command(&unreachable())).await;
    assert!(
        stderr.starts_with("error: cannot connect to the database: "),
        "{stderr}"
    );
    assert!(stderr.contains("refused"), "{stderr}");
    assert!(!stderr.contains("secret"), "{stderr}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_database_that_does_not_respond_is_reported_after_a_timeout() {
    // The kernel accepts the connection, and no data follows.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let stderr = stderr_of_failure(command(&unreachable().port(port))).await;
    assert!(stderr.contains("the database does not respond"), "{stderr}");
}

#[tokio::test]
async fn a_missing_database_is_reported_by_name() {
    let missing = database().await.database("no_such_blog");
    let mut command = command(&missing);
    // Not as a role of the database, which does not exist either.
    command.env("DATABASE_URL", missing.to_url_lossy().as_str());
    let stderr = stderr_of_failure(command).await;
    assert!(
        stderr.contains("database \"no_such_blog\" does not exist"),
        "{stderr}"
    );
}

#[tokio::test]
async fn an_invalid_url_is_rejected() {
    for (url, part) in [("blog", "relative URL"), ("", "database-url")] {
        let mut blog = bare();
        blog.args(["--database-url", url]);
        let stderr = stderr_of_failure(blog).await;
        assert!(
            stderr.contains("--database-url <URL>") && stderr.contains(part),
            "{url}: {stderr}"
        );
    }
}

#[tokio::test]
async fn reset_is_rejected_with_a_database_url() {
    let database = database().await;
    let mut reset = command(&database);
    reset.arg("--reset");
    let stderr = stderr_of_failure(reset).await;
    assert!(
        stderr.contains("--reset") && stderr.contains("cannot be used with"),
        "{stderr}"
    );
    assert!(stderr.contains("--database-url"), "{stderr}");
}

#[tokio::test]
async fn numbers_out_of_range_are_rejected() {
    for (option, value) in [
        ("--posts", "100001"),
        ("--connections", "1"),
        ("--port", "65536"),
    ] {
        let mut blog = bare();
        blog.args([option, value]);
        let stderr = stderr_of_failure(blog).await;
        assert!(
            stderr.contains(option) && stderr.contains(value),
            "{stderr}"
        );
    }
}

#[tokio::test]
async fn zero_posts_leave_the_blog_empty() {
    let blog = Blog::start(0).await;
    let all = "{ posts { id } users { id } comments { id } }";
    let empty = json!({"posts": [], "users": [], "comments": []});
    assert_eq!(blog.data(all, json!({})).await, empty);
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_second_start_keeps_the_data_and_adds_no_sample_posts() {
    let mut blog = Blog::start(3).await;
    let query = "mutation { createUser(username: \"ada\", fullName: \"Ada\") { id } }";
    blog.data(query, json!({})).await;
    let all = "{ posts { id title comments { id } } users { id username } }";
    let before = blog.data(all, json!({})).await;
    blog.terminate();
    assert_eq!(blog.wait().code(), Some(0));

    let database = blog.pool.connect_options();
    let again = Blog::start_on(&database, &database, &["--posts", "9"]).await;
    assert_eq!(again.data(all, json!({})).await, before);
    again.assert_synced().await;
}

#[tokio::test]
async fn a_start_repairs_documents_of_rows_written_by_other_programs() {
    let mut blog = Blog::start(3).await;
    blog.kill();
    let by_hand = "UPDATE tb_user SET full_name = 'Countess';
        INSERT INTO tb_user (identifier, username, full_name) VALUES ('bob', 'bob', 'Bob');
        DELETE FROM tb_comment WHERE pk_comment = 1";
    sqlx::raw_sql(by_hand).execute(&blog.pool).await.unwrap();
    assert!(!blog.is_synced().await);
    let _again = blog.restart().await;
    support::eventually("documents are repaired", async || blog.is_synced().await).await;
}

#[tokio::test]
async fn two_processes_can_share_a_database() {
    let one = Blog::start(3).await;
    let two = one.restart().await;
    let user = "mutation { createUser(username: \"ada\", fullName: \"Ada\") { id } }";
    let user = one.field(user, json!({})).await["id"].take();
    let rename = "mutation ($id: ID!) { updateUser(id: $id, fullName: \"Countess\") { fullName } }";
    two.data(rename, json!({"id": user})).await;
    let read = "query ($id: ID!) { user(id: $id) { fullName } }";
    assert_eq!(
        one.field(read, json!({"id": user})).await["fullName"],
        "Countess"
    );
    one.assert_synced().await;
}
