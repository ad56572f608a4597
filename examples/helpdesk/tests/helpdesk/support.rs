//! A server on a database of its own with the sample rows, without a worker, and its clients.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::sync::OnceLock;

use dev_postgres::Server;
use helpdesk::app::App;
use helpdesk::{rest, sample};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnectOptions;

/// The organizations of the sample, by number from 1.
pub(crate) const ORGS: [&str; 3] = ["acme", "globex", "initech"];
/// The tickets of each organization.
pub(crate) const TICKETS: i32 = 30;

/// An agent of the sample, who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) org: i32,
    pub(crate) id: i32,
    pub(crate) is_admin: bool,
    pub(crate) token: String,
}

/// A running server.
pub(crate) struct Service {
    pub(crate) app: App,
    /// Ada, the admin, and Bob of each organization.
    pub(crate) agents: Vec<Agent>,
    url: String,
    client: reqwest::Client,
}

/// A new database on the server that all tests share.
pub(crate) async fn database() -> PgConnectOptions {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::shared().unwrap());
    server.create_database().await.unwrap()
}

impl Service {
    pub(crate) async fn start() -> Self {
        let app = App::open(database().await).await.unwrap();
        sample::fill(&app).await.unwrap();
        app.model.worker(&app.pool).drain().await.unwrap();
        let agents = (1..).zip(ORGS).flat_map(|(org, name)| {
            ["ada", "bob"].map(|agent| Agent {
                org,
                id: 2 * org - i32::from(agent == "ada"),
                is_admin: agent == "ada",
                token: format!("{agent}-{name}"),
            })
        });
        let agents = agents.collect();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, rest::router(&app)).into_future());
        let client = reqwest::Client::new();
        Self {
            app,
            agents,
            url,
            client,
        }
    }

    /// Ada of Acme, an admin.
    pub(crate) fn ada(&self) -> &Agent {
        &self.agents[0]
    }

    /// Bob of Acme, who is not.
    pub(crate) fn bob(&self) -> &Agent {
        &self.agents[1]
    }

    /// Sends a request, and returns the response.
    pub(crate) async fn send(
        &self,
        agent: Option<&Agent>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Response {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(agent) = agent {
            request = request.bearer_auth(&agent.token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.unwrap()
    }

    /// Sends a request, and returns the status and the JSON of the response.
    pub(crate) async fn call(
        &self,
        agent: &Agent,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let response = self.send(Some(agent), method, path, body).await;
        (response.status(), response.json().await.unwrap())
    }

    /// Reads a path that exists.
    pub(crate) async fn get(&self, agent: &Agent, path: &str) -> Value {
        let (status, body) = self.call(agent, Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body:#}");
        body
    }

    /// Runs a GraphQL request, and returns the whole response.
    pub(crate) async fn graphql(&self, agent: &Agent, query: &str) -> Value {
        let body = json!({"query": query});
        let (status, body) = self
            .call(agent, Method::POST, "/graphql", Some(&body))
            .await;
        assert_eq!(status, 200, "{query}: {body:#}");
        body
    }

    /// Runs a GraphQL request that must succeed, and returns its data.
    pub(crate) async fn data(&self, agent: &Agent, query: &str) -> Value {
        let mut response = self.graphql(agent, query).await;
        assert!(response.get("errors").is_none(), "{query}: {response:#}");
        response["data"].take()
    }

    /// One value, by a statement on the database.
    pub(crate) async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
        query.fetch_one(&self.app.pool).await.unwrap()
    }

    /// A digest of the rows and documents of each organization. Those of the view of organizations are left to a
    /// worker, and not in it.
    pub(crate) async fn digests(&self) -> Vec<String> {
        let tables =
            "tb_agent tb_customer tb_label tb_ticket tb_message tb_ticket_label tv_ticket tv_agent";
        let rows = tables
            .split(' ')
            .map(|table| format!("SELECT org_id, t::text AS row FROM {table} AS t"));
        let rows: Vec<String> = rows.collect();
        self.value(&format!(
            "SELECT array_agg(digest ORDER BY org_id) FROM (
                 SELECT org_id, md5(string_agg(row, '' ORDER BY row)) AS digest
                 FROM ({}) AS rows GROUP BY org_id) AS digests",
            rows.join(" UNION ALL ")
        ))
        .await
    }

    /// Asserts that every document equals the base tables, once what was left is done.
    pub(crate) async fn assert_synced(&self) {
        let App { pool, model } = &self.app;
        model.worker(pool).drain().await.unwrap();
        fraiseql_runtime::assert_synced(model, pool).await;
    }
}
