//! A service on a database of its own, and what tests ask it.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::sync::OnceLock;
use std::time::Duration;

use dev_postgres::Server;
use fraiseql_runtime::{ReadModel, Replicas};
use orders::app::{App, BackgroundTasks, Settings};
use orders::http;
use orders::views::RevenueByProduct;
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

pub(crate) const ADA: Uuid = Uuid::from_u128(0xada);
pub(crate) const BOB: Uuid = Uuid::from_u128(0xb0b);
/// Ten at 2.50.
pub(crate) const PEN: Uuid = Uuid::from_u128(1);
/// Three at 10.00.
pub(crate) const BOOK: Uuid = Uuid::from_u128(2);
/// No row has it.
pub(crate) const NOBODY: Uuid = Uuid::from_u128(0x404);

const ROWS: &str = "
    INSERT INTO tb_customers (id, email, name) VALUES
        ('00000000-0000-0000-0000-000000000ada', 'ada@example.com', 'Ada'),
        ('00000000-0000-0000-0000-000000000b0b', 'bob@example.com', 'Bob');
    INSERT INTO tb_products (id, sku, name, price, stock, low_stock_threshold) VALUES
        ('00000000-0000-0000-0000-000000000001', 'PEN', 'Pen', 2.50, 10, 5),
        ('00000000-0000-0000-0000-000000000002', 'BOOK', 'Book', 10.00, 3, 3)";

/// A running service with two customers and two products, and no orders.
pub(crate) struct Service {
    pub(crate) app: App,
    /// Its database, beside the pools of the service.
    pub(crate) pool: PgPool,
    pub(crate) background: BackgroundTasks,
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
        let database = database().await;
        Self::start_with(database, Vec::new()).await
    }

    /// Starts a service whose queries read replicas.
    pub(crate) async fn start_with(
        database: PgConnectOptions,
        replicas: Vec<PgConnectOptions>,
    ) -> Self {
        let settings = Settings {
            database: database.clone(),
            replicas,
            connections: 16,
            sample_orders: 0,
        };
        let (app, background) = App::open(settings).await.unwrap();
        let mut m = app.orders.mutation(&app.commands).await.unwrap();
        sqlx::raw_sql(ROWS).execute(&mut *m).await.unwrap();
        m.commit().await.unwrap();
        let pool = PgPoolOptions::new().connect_with(database).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, http::router(&app)).into_future());
        Self {
            app,
            pool,
            background,
            url,
            client: reqwest::Client::new(),
        }
    }

    /// Stops the worker, and returns an application without one, and its database.
    pub(crate) async fn without_worker(self, connections: u32) -> (App, PgPool) {
        self.background.close().await.unwrap();
        let options = (*self.pool.connect_options()).clone();
        let pool = PgPoolOptions::new().max_connections(connections);
        let pool = pool.connect_with(options).await.unwrap();
        let app = App {
            commands: pool.clone(),
            queries: Replicas::new(pool),
            ..self.app
        };
        (app, self.pool)
    }

    /// Sends a query by POST, as the user `ada`.
    pub(crate) async fn post(&self, query: &str) -> reqwest::Response {
        let request = self.client.post(format!("{}/graphql", self.url));
        let request = request.header("x-user", "ada");
        let body = json!({"query": query});
        request.json(&body).send().await.unwrap()
    }

    /// Sends a query as a client that has written up to a position.
    pub(crate) async fn data_at(&self, position: &str, query: &str) -> Value {
        let request = self.client.post(format!("{}/graphql", self.url));
        let request = request.header("fraiseql-position", position);
        let response = request.json(&json!({"query": query})).send().await.unwrap();
        response.json::<Value>().await.unwrap()["data"].take()
    }

    /// Sends a query by GET.
    pub(crate) async fn get(&self, query: &str) -> reqwest::Response {
        let request = self.client.get(format!("{}/graphql", self.url));
        request.query(&[("query", query)]).send().await.unwrap()
    }

    /// Runs a query that must succeed, and returns its data.
    pub(crate) async fn data(&self, query: &str) -> Value {
        let mut response: Value = self.post(query).await.json().await.unwrap();
        assert!(response.get("errors").is_none(), "{query}: {response:#}");
        response["data"].take()
    }

    /// Runs a mutation that must fail, and returns its error.
    pub(crate) async fn error(&self, mutation: &str) -> Value {
        let query = format!("mutation {{ {mutation} }}");
        let mut response: Value = self.post(&query).await.json().await.unwrap();
        assert_eq!(
            response["errors"].as_array().map(Vec::len),
            Some(1),
            "{mutation}: {response:#}"
        );
        response["errors"][0].take()
    }

    /// One value, by a statement on the database.
    pub(crate) async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// Calls a function that must succeed, such as `fn_cancel_order('..')`, as other programs do.
    pub(crate) async fn call<T>(&self, call: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        self.value(&format!("SELECT {call}")).await
    }

    /// A digest of all base tables.
    pub(crate) async fn digest(&self) -> String {
        self.value(
            "SELECT md5(string_agg(row, '' ORDER BY row)) FROM (
                SELECT t::text AS row FROM tb_customers AS t UNION ALL SELECT t::text FROM tb_products AS t
                UNION ALL SELECT t::text FROM tb_orders AS t UNION ALL SELECT t::text FROM tb_order_items AS t
                UNION ALL SELECT t::text FROM tb_payments AS t UNION ALL SELECT t::text FROM tb_audit_log AS t
            ) AS rows",
        )
        .await
    }

    /// Asserts that every document equals the base tables.
    pub(crate) async fn assert_synced(&self) {
        assert_synced(&self.app.orders, &self.pool).await;
    }
}

/// Asserts that every document equals the base tables; that of the revenue after a refresh, since it is older by
/// design.
pub(crate) async fn assert_synced(orders: &ReadModel, pool: &PgPool) {
    orders.refresh::<RevenueByProduct>(pool).await.unwrap();
    fraiseql_runtime::assert_synced(orders, pool).await;
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
