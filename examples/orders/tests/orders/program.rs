//! The program: its command line, sample orders, and a stop by SIGTERM.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sqlx::ConnectOptions as _;

use crate::support::database;

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_orders"));
    program
        .env_remove("DATABASE_URL")
        .env_remove("ORDERS_REPLICAS")
        .env("RUST_LOG", "warn,sqlx=error");
    program
}

/// Starts the program, and returns its URL.
async fn start(mut program: Command) -> (Child, String) {
    let mut child = program.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = tokio::task::spawn_blocking(move || {
        let mut lines = lines.map_while(Result::ok);
        lines.find_map(|line| Some(line.split_once("Orders are at ")?.1.to_owned()))
    });
    let url = url.await.unwrap().expect("the program prints its URL");
    (child, url)
}

#[tokio::test]
async fn it_fills_an_empty_database_serves_and_stops() {
    let url = database().await.to_url_lossy();
    for _ in 0..2 {
        let mut program = program();
        program.args([
            "--port",
            "0",
            "--sample-orders",
            "8",
            "--database-url",
            url.as_str(),
        ]);
        // No replica, which is not read.
        program.args(["--replica", url.as_str()]);
        let (mut child, graphql) = start(program).await;

        let query = "{ ordersSummary { status itemCount } }";
        let client = reqwest::Client::new();
        let request = client.post(&graphql).json(&json!({"query": query}));
        let response: Value = request.send().await.unwrap().json().await.unwrap();
        let orders = response["data"]["ordersSummary"].as_array().unwrap();
        // The second start finds them.
        assert_eq!(orders.len(), 8, "{response:#}");
        for status in ["PENDING", "PAID", "SHIPPED", "CANCELLED"] {
            let of = orders.iter().filter(|order| order["status"] == status);
            assert_eq!(of.count(), 2, "{response:#}");
        }
        let health = client
            .get(graphql.replace("/graphql", "/health"))
            .send()
            .await
            .unwrap();
        assert_eq!(health.text().await.unwrap(), "ok");

        let sent = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        let exit = tokio::task::spawn_blocking(move || child.wait().unwrap())
            .await
            .unwrap();
        assert!(exit.success(), "{exit}");
    }
}

#[tokio::test]
async fn the_example_of_the_help_is_a_valid_query() {
    let output = program().arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for part in [
        "--database-url",
        "--replica",
        "ORDERS_REPLICAS]",
        "--reset",
        "[default: 8001]",
    ] {
        assert!(help.contains(part), "{part} is not in\n{help}");
    }
    let query = help.split_once("\"query\": \"").unwrap().1;
    let query = query.split_once("\"}'").unwrap().0;
    let service = crate::support::Service::start().await;
    assert_eq!(service.data(query).await, json!({"ordersSummary": []}));
}

#[tokio::test]
async fn what_cannot_work_is_reported_at_once() {
    let nowhere = "postgres://somebody:secret@127.0.0.1:1/orders";
    for (arguments, part) in [
        (
            &["--port", "0", "--database-url", nowhere][..],
            "cannot connect to the database",
        ),
        (&["--replica", nowhere][..], "--database-url"),
        (&["--reset", "--database-url", nowhere][..], "--reset"),
    ] {
        let output = program().args(arguments).output().unwrap();
        assert!(!output.status.success());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.contains(part) && !stderr.contains("secret"),
            "{stderr}"
        );
    }
}
