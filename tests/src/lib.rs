//! What the tests share: one server for each test binary, one database for each test, and
//! the blog's tables and views.

pub mod blog;
pub mod naive;
pub mod node;
pub mod select;
pub mod watched;
pub mod web;

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

use std::io::Write as _;
use std::sync::OnceLock;

use dev_postgres::Server;
use fraiseql_runtime::CheckReport;
use fraiseql_runtime::check::report::FindingKind;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// The server of this test binary. It stops when the process does.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        // As many tests at once as there are processors, each with a pool or two.
        let server = Server::builder().setting("max_connections", "400");
        match server.start() {
            Ok(server) => server,
            Err(error) => panic!("{error}"),
        }
    })
}

/// An empty database.
///
/// # Panics
/// When it cannot be created.
pub async fn database() -> PgConnectOptions {
    match server().create_database().await {
        Ok(options) => options,
        Err(error) => panic!("{error}"),
    }
}

/// A pool on an empty database.
///
/// # Panics
/// When it cannot be created.
pub async fn pool() -> PgPool {
    pool_of(database().await).await
}

/// A pool on a database.
///
/// # Panics
/// When it cannot be reached.
pub async fn pool_of(options: PgConnectOptions) -> PgPool {
    match PgPoolOptions::new()
        .max_connections(4)
        .connect_with(options)
        .await
    {
        Ok(pool) => pool,
        Err(error) => panic!("{error}"),
    }
}

/// A report without what depends on how the server was built, and on nothing else.
#[must_use]
pub fn without_server(report: CheckReport) -> CheckReport {
    report.accept(|finding| finding.kind == FindingKind::NoLz4)
}

/// Runs statements that have no parameters.
///
/// # Panics
/// When one fails.
pub async fn run(pool: &PgPool, sql: &'static str) {
    if let Err(error) = sqlx::raw_sql(sql).execute(pool).await {
        panic!("{error}\n{sql}");
    }
}

/// Whether the server can create an extension. Says so aloud where it cannot: a test that
/// needs it shows nothing there.
///
/// # Panics
/// When the server cannot be asked.
pub async fn has_extension(name: &str) -> bool {
    let asked =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = $1)")
            .bind(name)
            .fetch_one(&pool().await)
            .await;
    match asked {
        Ok(true) => true,
        Ok(false) => {
            // Not `eprintln`, which is captured: nobody would see it.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: no extension {name} on this server"
            );
            false
        }
        Err(error) => panic!("{error}"),
    }
}
