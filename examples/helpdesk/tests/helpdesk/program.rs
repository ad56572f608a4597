//! The command line: a server and a worker in one process or in two, and what cannot work.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fraiseql_runtime::{SyncToken, assert_synced};
use helpdesk::app::App;
use serde_json::Value;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

use crate::support::database;

fn program(arguments: &[&str], database: &PgConnectOptions) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_helpdesk"));
    program
        .args(arguments)
        .env("DATABASE_URL", database.to_url_lossy().as_str());
    program.env("RUST_LOG", "warn,sqlx=error");
    program
}

/// Starts a server, and returns its address.
async fn start(mut program: Command) -> (Child, String) {
    let mut child = program.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::task::spawn_blocking(move || lines.next().unwrap().unwrap())
        .await
        .unwrap();
    let (_, url) = line.split_once("The helpdesk is at ").unwrap();
    (child, url.to_owned())
}

/// Sends SIGTERM, and waits until the program has ended.
async fn stop(mut child: Child) {
    let sent = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let exit = tokio::task::spawn_blocking(move || child.wait().unwrap())
        .await
        .unwrap();
    assert!(exit.success(), "{exit}");
}

async fn get(url: &str, token: &str) -> Value {
    let request = reqwest::Client::new().get(url).bearer_auth(token);
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_server_and_a_worker_are_one_process_or_two() {
    let database = database().await;
    // The second start finds the rows of the first.
    for (name, task) in [("Console", "all"), ("Terminal", "serve")] {
        let worker = (task == "serve").then(|| program(&["worker"], &database).spawn().unwrap());
        let (server, url) = start(program(
            &[task, "--listen", "127.0.0.1:0", "--sample"],
            &database,
        ))
        .await;
        let page = get(&format!("{url}/tickets?first=100"), "bob-acme").await;
        assert_eq!(page["items"].as_array().unwrap().len(), 30);

        // As psql does, of which the server knows nothing.
        let app = App::open(database.clone()).await.unwrap();
        let mut tx = app.pool.begin().await.unwrap();
        sqlx::query("UPDATE tb_agent SET name = $1 WHERE (org_id, id) = (1, 2)")
            .bind(name)
            .execute(&mut *tx)
            .await
            .unwrap();
        let synced = SyncToken::current(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let wait = app.model.wait_synced(&app.pool, synced);
        wait.within(Duration::from_secs(60)).await.unwrap();
        assert_eq!(get(&format!("{url}/me"), "bob-acme").await["name"], name);
        assert_synced(&app.model, &app.pool).await;
        for child in worker.into_iter().chain([server]) {
            stop(child).await;
        }
    }
}

#[tokio::test]
async fn processes_that_start_at_the_same_time_migrate_once() {
    let database = database().await;
    let opening = (0..4).map(|_| tokio::spawn(App::open(database.clone())));
    for app in opening.collect::<Vec<_>>() {
        let App { pool, model } = app.await.unwrap().unwrap();
        assert_synced(&model, &pool).await;
    }
}

#[test]
fn what_cannot_work_is_reported() {
    let nowhere: PgConnectOptions = "postgres://somebody:secret@127.0.0.1:1/helpdesk"
        .parse()
        .unwrap();
    let output = program(&["worker"], &nowhere).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        stderr.contains("cannot connect to the database"),
        "{stderr}"
    );
    assert!(!stderr.contains("secret"), "{stderr}");
    let output = Command::new(env!("CARGO_BIN_EXE_helpdesk"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for part in [
        "all",
        "serve",
        "worker",
        "--database-url",
        "--listen",
        "--sample",
    ] {
        assert!(help.contains(part), "{part} is not in\n{help}");
    }
}
