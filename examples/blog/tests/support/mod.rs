//! The blog as a user starts it: the program, on a database of its own, asked over HTTP.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod wire;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

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
}

impl Blog {
    /// Starts the program on a new database, with so many sample posts.
    pub(crate) async fn start(posts: u32) -> Self {
        Self::start_with(&["--posts", &posts.to_string()]).await
    }

    pub(crate) async fn start_with(arguments: &[&str]) -> Self {
        let database = database().await;
        Self::start_on(&database, &database, arguments).await
    }

    /// Starts it on this database, which it reaches by `way`.
    pub(crate) async fn start_on(
        database: &PgConnectOptions,
        way: &PgConnectOptions,
        arguments: &[&str],
    ) -> Self {
        let pool = PgPoolOptions::new()
            .connect_with(database.clone())
            .await
            .unwrap();
        let mut child = command(way)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = tokio::task::spawn_blocking(move || {
            let mut lines = lines.by_ref().map_while(Result::ok);
            lines.find_map(|line| Some(line.split_once("The blog is at ")?.1.to_owned()))
        });
        let url = url.await.unwrap().expect("the blog says where it is");
        Self {
            url,
            pool,
            client: reqwest::Client::new(),
            child,
        }
    }

    /// Starts it anew on the same database.
    pub(crate) async fn restart(&self) -> Self {
        let database = self.pool.connect_options();
        Self::start_on(&database, &database, &["--posts", "0"]).await
    }

    /// The answer to a query, errors included.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        let answer = self.send(query, variables).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    /// What comes back, or why nothing does.
    pub(crate) async fn send(
        &self,
        query: &str,
        variables: Value,
    ) -> reqwest::Result<reqwest::Response> {
        let body = json!({"query": query, "variables": variables});
        let request = self.client.post(format!("{}/graphql", self.url));
        request.json(&body).send().await
    }

    /// The data of an answer without errors.
    pub(crate) async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].take()
    }

    /// The one field of the data of an answer without errors.
    pub(crate) async fn field(&self, query: &str, variables: Value) -> Value {
        let data = self.data(query, variables).await;
        let Value::Object(fields) = data else {
            panic!("{data:#}");
        };
        assert_eq!(fields.len(), 1, "{fields:#?}");
        fields.into_iter().next().unwrap().1
    }

    /// The message and the code of the one error of an answer.
    pub(crate) async fn error(&self, query: &str, variables: Value) -> (String, String) {
        let answer = self.ask(query, variables).await;
        let errors = answer["errors"].as_array();
        let errors = errors.unwrap_or_else(|| panic!("it should fail: {answer:#}"));
        assert_eq!(errors.len(), 1, "{errors:#?}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (
            text(&errors[0]["message"]),
            text(&errors[0]["extensions"]["code"]),
        )
    }

    /// Every document is what the base tables say.
    pub(crate) async fn assert_synced(&self) {
        let blog = blog::views::read_model().build().unwrap();
        fraiseql_runtime::assert_synced(&blog, &self.pool).await;
    }

    /// Whether every document is what the base tables say.
    pub(crate) async fn is_synced(&self) -> bool {
        let blog = blog::views::read_model().build().unwrap();
        blog.verify(&self.pool).await.unwrap().is_clean()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the program has in memory, in bytes; 0 where nobody says it.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        kilobytes.unwrap_or(0_u64) * 1024
    }

    /// Asks the program to end.
    pub(crate) fn terminate(&self) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends the program at once.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until the program has ended by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Blog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A new database, on the server of all tests of this process.
pub(crate) async fn database() -> PgConnectOptions {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::shared().unwrap());
    server.create_database().await.unwrap()
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

/// Asks again and again, for some seconds.
pub(crate) async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    for _ in 0..1_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came: {what}");
}
