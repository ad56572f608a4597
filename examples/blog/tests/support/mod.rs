//! The blog as a user starts it: the program, on a database of its own, asked over HTTP.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use dev_postgres::Server;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgPool};

/// A running blog. Dropped, it is killed.
pub(crate) struct Blog {
    /// `http://127.0.0.1:45179`.
    pub(crate) url: String,
    /// Its database.
    pub(crate) pool: PgPool,
    pub(crate) client: reqwest::Client,
    child: Child,
    _server: Server,
}

impl Blog {
    /// Starts the program on a new database, with so many sample posts.
    pub(crate) async fn start(posts: u32) -> Self {
        Self::start_with(&["--posts", &posts.to_string()]).await
    }

    pub(crate) async fn start_with(arguments: &[&str]) -> Self {
        let server = Server::shared().unwrap();
        let database = server.create_database().await.unwrap();
        let pool = PgPoolOptions::new()
            .connect_with(database.clone())
            .await
            .unwrap();
        let mut child = command(&database)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("The blog is at ")?.1.to_owned()))
            .expect("the blog says where it is");
        Self {
            url,
            pool,
            client: reqwest::Client::new(),
            child,
            _server: server,
        }
    }

    /// The answer to a query, errors included.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables});
        let request = self
            .client
            .post(format!("{}/graphql", self.url))
            .json(&body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    /// The data of an answer without errors.
    pub(crate) async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].take()
    }

    /// Every document is what the base tables say.
    pub(crate) async fn assert_synced(&self) {
        let blog = blog::views::read_model().build().unwrap();
        fraiseql_runtime::assert_synced(&blog, &self.pool).await;
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program has ended by itself.
    pub(crate) fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Blog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program on this database, at a free port.
pub(crate) fn command(database: &PgConnectOptions) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blog"));
    command
        .env("DATABASE_URL", database.to_url_lossy().as_str())
        .env("RUST_LOG", "warn,sqlx=error")
        .args(["--port", "0"]);
    command
}
