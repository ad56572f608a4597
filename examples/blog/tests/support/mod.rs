//! The test client: runs the blog program on a new database, and sends requests over HTTP.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod proxy;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use dev_postgres::Server;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgPool};

/// A running blog. It is killed on drop.
pub(crate) struct Blog {
    /// `http://127.0.0.1:45179`.
    pub(crate) url: String,
    /// Its database.
    pub(crate) pool: PgPool,
    pub(crate) client: reqwest::Client,
    child: Child,
}

impl Blog {
    /// Starts the program on a new database, with this number of sample posts.
    pub(crate) async fn start(posts: u32) -> Self {
        Self::start_with(&["--posts", &posts.to_string()]).await
    }

    pub(crate) async fn start_with(arguments: &[&str]) -> Self {
        let database = database().await;
        Self::start_on(&database, &database, arguments).await
    }

    /// Starts the program on `database`, to which it connects with the options `via`: those of a
    /// proxy, or the same.
    pub(crate) async fn start_on(
        database: &PgConnectOptions,
        via: &PgConnectOptions,
        arguments: &[&str],
    ) -> Self {
        let pool = PgPoolOptions::new()
            .connect_with(database.clone())
            .await
            .unwrap();
        let mut command = command(via);
        command.args(arguments);
        Self::spawn(pool, command).await
    }

    /// Starts the program as a role that has only the privileges which the owner of the tables grants
    /// it, with this number of sample posts.
    pub(crate) async fn start_as_role(posts: u32) -> Self {
        let database = database().await;
        if !runs_as_role() {
            create_role(&database).await;
        }
        let role = as_role(&database);
        let mut command = command(&database);
        command
            .env("DATABASE_URL", role.to_url_lossy().as_str())
            .env("BLOG_OWNER_URL", database.to_url_lossy().as_str())
            .args(["--posts", &posts.to_string()]);
        let pool = PgPoolOptions::new().connect_with(database).await.unwrap();
        Self::spawn(pool, command).await
    }

    /// Starts the program by a command of [`command`].
    pub(crate) async fn start_command(database: &PgConnectOptions, command: Command) -> Self {
        let pool = PgPoolOptions::new();
        let pool = pool.connect_with(database.clone()).await.unwrap();
        Self::spawn(pool, command).await
    }

    async fn spawn(pool: PgPool, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = tokio::task::spawn_blocking(move || {
            let mut lines = lines.by_ref().map_while(Result::ok);
            lines.find_map(|line| Some(line.split_once("The blog is at ")?.1.to_owned()))
        });
        let url = url.await.unwrap().expect("the program prints its URL");
        Self {
            url,
            pool,
            client: reqwest::Client::new(),
            child,
        }
    }

    /// Starts another process on the same database.
    pub(crate) async fn restart(&self) -> Self {
        let database = self.pool.connect_options();
        Self::start_on(&database, &database, &["--posts", "0"]).await
    }

    /// Runs a query, and returns the GraphQL response with `data` and `errors`.
    pub(crate) async fn execute(&self, query: &str, variables: Value) -> Value {
        let response = self.send(query, variables).await.unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// Sends a query, and returns the HTTP response.
    pub(crate) async fn send(
        &self,
        query: &str,
        variables: Value,
    ) -> reqwest::Result<reqwest::Response> {
        let body = json!({"query": query, "variables": variables});
        let request = self.client.post(format!("{}/graphql", self.url));
        request.json(&body).send().await
    }

    /// Runs a query that must succeed, and returns its data.
    pub(crate) async fn data(&self, query: &str, variables: Value) -> Value {
        let mut response = self.execute(query, variables).await;
        assert!(response.get("errors").is_none(), "{response:#}");
        response["data"].take()
    }

    /// Runs a query that must succeed, and returns its only root field.
    pub(crate) async fn field(&self, query: &str, variables: Value) -> Value {
        let data = self.data(query, variables).await;
        let Value::Object(fields) = data else {
            panic!("{data:#}");
        };
        assert_eq!(fields.len(), 1, "{fields:#?}");
        fields.into_iter().next().unwrap().1
    }

    /// Runs a query that must fail with one error, and returns its message and code.
    pub(crate) async fn error(&self, query: &str, variables: Value) -> (String, String) {
        let response = self.execute(query, variables).await;
        let errors = response["errors"].as_array();
        let errors = errors.unwrap_or_else(|| panic!("no error: {response:#}"));
        assert_eq!(errors.len(), 1, "{errors:#?}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (
            text(&errors[0]["message"]),
            text(&errors[0]["extensions"]["code"]),
        )
    }

    /// Asserts that every document equals the base tables.
    pub(crate) async fn assert_synced(&self) {
        let blog = blog::views::read_model().build().unwrap();
        fraiseql_runtime::assert_synced(&blog, &self.pool).await;
    }

    /// Whether every document equals the base tables.
    pub(crate) async fn is_synced(&self) -> bool {
        let blog = blog::views::read_model().build().unwrap();
        blog.verify(&self.pool).await.unwrap().is_clean()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory of the program in bytes; 0 on systems without `/proc`.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        kilobytes.unwrap_or(0_u64) * 1024
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Sends SIGKILL, and waits for the process.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until the program exits.
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

/// A new database on the server that all tests share.
pub(crate) async fn database() -> PgConnectOptions {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::shared().unwrap());
    let database = server.create_database().await.unwrap();
    if runs_as_role() {
        create_role(&database).await;
    }
    database
}

/// Whether the program runs as a role with the privileges that [`ReadModel::grants`] prints, and no
/// others: `BLOG_AS_ROLE=1 cargo test -p blog`.
///
/// [`ReadModel::grants`]: fraiseql_runtime::ReadModel::grants
fn runs_as_role() -> bool {
    std::env::var_os("BLOG_AS_ROLE").is_some()
}

/// The options of the role that [`create_role`] creates for a database.
pub(crate) fn as_role(database: &PgConnectOptions) -> PgConnectOptions {
    let name = format!("app_of_{}", database.get_database().unwrap());
    database.clone().username(&name)
}

/// Creates a role that may only connect.
pub(crate) async fn create_role(database: &PgConnectOptions) {
    let mut owner = database.connect().await.unwrap();
    let role = as_role(database);
    let create = format!(
        "CREATE ROLE \"{}\" LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC",
        role.get_username()
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(create))
        .execute(&mut owner)
        .await
        .unwrap();
}

/// The program, with this database and a free port.
pub(crate) fn command(database: &PgConnectOptions) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blog"));
    let url = if runs_as_role() {
        command.env("BLOG_OWNER_URL", database.to_url_lossy().as_str());
        as_role(database).to_url_lossy()
    } else {
        database.to_url_lossy()
    };
    command
        .env("DATABASE_URL", url.as_str())
        .env("RUST_LOG", "warn,sqlx=error")
        .args(["--port", "0"]);
    command
}

/// Waits up to ten seconds until `condition` is true.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..1_000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("timed out waiting until {what}");
}
