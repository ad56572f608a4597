//! The program as it is started: what it says of itself, what it refuses, what it keeps.

mod support;

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use support::{Blog, command, database};

/// Runs it to its end, which is to come soon.
async fn run(mut command: Command) -> Output {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = tokio::time::timeout(Duration::from_secs(30), output).await;
    output.expect("it should end").unwrap()
}

/// What it says when it fails.
async fn refusal(command: Command) -> String {
    let output = run(command).await;
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The program, which finds no database and starts none.
fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blog"));
    command.env_remove("DATABASE_URL").env("RUST_LOG", "error");
    command
}

fn nowhere() -> PgConnectOptions {
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

/// The query of the help is one that works.
#[tokio::test]
async fn the_query_of_the_help_is_answered() {
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
async fn a_port_that_is_taken_is_named_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut blog = bare();
    // It is noticed before the database is.
    blog.args([
        "--port",
        &port,
        "--database-url",
        "postgres://127.0.0.1:1/blog",
    ]);
    let said = refusal(blog).await;
    assert!(
        said.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{said}"
    );
    assert!(said.contains("--port 0"), "{said}");
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_said_at_once() {
    let start = Instant::now();
    let said = refusal(command(&nowhere())).await;
    assert!(
        said.starts_with("error: cannot connect to the database: "),
        "{said}"
    );
    assert!(said.contains("refused"), "{said}");
    assert!(!said.contains("secret"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_waited_for_some_seconds() {
    // The kernel accepts, and nobody says anything.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let said = refusal(command(&nowhere().port(port))).await;
    assert!(said.contains("the database does not answer"), "{said}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let missing = database().await.database("no_such_blog");
    let said = refusal(command(&missing)).await;
    assert!(
        said.contains("database \"no_such_blog\" does not exist"),
        "{said}"
    );
}

#[tokio::test]
async fn a_url_that_is_none_is_refused() {
    for (url, part) in [("blog", "relative URL"), ("", "database-url")] {
        let mut blog = bare();
        blog.args(["--database-url", url]);
        let said = refusal(blog).await;
        assert!(
            said.contains("--database-url <URL>") && said.contains(part),
            "{url}: {said}"
        );
    }
}

#[tokio::test]
async fn data_of_a_database_of_ones_own_is_never_reset() {
    let database = database().await;
    let mut reset = command(&database);
    reset.arg("--reset");
    let said = refusal(reset).await;
    assert!(
        said.contains("--reset") && said.contains("cannot be used with"),
        "{said}"
    );
    assert!(said.contains("--database-url"), "{said}");
}

#[tokio::test]
async fn numbers_out_of_range_are_refused() {
    for (option, value) in [
        ("--posts", "100001"),
        ("--connections", "1"),
        ("--port", "65536"),
    ] {
        let mut blog = bare();
        blog.args([option, value]);
        let said = refusal(blog).await;
        assert!(said.contains(option) && said.contains(value), "{said}");
    }
}

#[tokio::test]
async fn no_posts_is_an_empty_blog() {
    let blog = Blog::start(0).await;
    let all = "{ posts { id } users { id } comments { id } }";
    let empty = json!({"posts": [], "users": [], "comments": []});
    assert_eq!(blog.data(all, json!({})).await, empty);
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_second_start_keeps_what_is_there_and_adds_no_sample() {
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
async fn rows_that_were_written_without_the_program_have_documents_after_a_start() {
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
async fn two_on_one_database_keep_it_right() {
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
