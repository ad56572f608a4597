//! Shared by the tests: one server for each test binary, one database for each test, and named
//! worlds of base tables.

pub mod cluster;
pub mod executed;
pub mod naive;
pub mod node;
pub mod pooler;
pub mod select;
pub mod web;
pub mod world;

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::sync::{Mutex, OnceLock};

use dev_postgres::Server;
use fraiseql_runtime::check::CheckReport;
use fraiseql_runtime::check::FindingKind;
use fraiseql_runtime::migrate::Migration;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgPool};

/// The server of this test binary. It stops when the process does.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        // The number of tests that run at once is that of the processors; each has one or two
        // pools.
        let server = Server::builder().setting("max_connections", "400");
        match server.start() {
            Ok(server) => server,
            Err(error) => panic!("{error}"),
        }
    })
}

/// An empty database. It is dropped some time after its test has ended. With `TEST_POOLER=pgbouncer`, the
/// options lead to it through PgBouncer: see [`pooler`].
///
/// # Panics
/// If it cannot be created.
pub async fn database() -> PgConnectOptions {
    let options = direct_database().await;
    match pooler::of_all_tests() {
        Some(pooler) if !NEEDS_SESSIONS.get() => pooler.through(&options),
        _ => options,
    }
}

/// Says that this test changes or watches sessions: it sets what they keep, or looks at them by their number or
/// their options. Its databases have no pooler, whatever `TEST_POOLER` is.
pub fn needs_sessions() {
    NEEDS_SESSIONS.set(true);
}

/// [`database`], always without a pooler.
///
/// # Panics
/// If it cannot be created.
pub async fn direct_database() -> PgConnectOptions {
    let options = match server().create_database().await {
        Ok(options) => options,
        Err(error) => panic!("{error}"),
    };
    let name = options.get_database().unwrap_or_default().to_owned();
    OWN.with_borrow_mut(|own| own.0.push(name));
    let ended = match ENDED.lock() {
        // Dropped together: each DROP waits for a checkpoint, and one soon after another has little
        // to do.
        Ok(mut ended) if ended.len() >= 40 => std::mem::take(&mut *ended),
        Ok(_) => Vec::new(),
        Err(error) => panic!("{error}"),
    };
    drop_databases(ended).await;
    options
}

/// The databases of this thread, and so of its test.
struct Own(Vec<String>);

thread_local! {
    static NEEDS_SESSIONS: Cell<bool> = const { Cell::new(false) };
    static OWN: RefCell<Own> = const { RefCell::new(Own(Vec::new())) };
}

/// The databases of tests that have ended.
static ENDED: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Drop for Own {
    fn drop(&mut self) {
        if let Ok(mut ended) = ENDED.lock() {
            ended.append(&mut self.0);
        }
    }
}

async fn drop_databases(names: Vec<String>) {
    if names.is_empty() {
        return;
    }
    let Ok(mut connection) = server().options().connect().await else {
        return;
    };
    for name in names {
        // A database that cannot be dropped only takes space.
        let drop = format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
        let _ = sqlx::raw_sql(AssertSqlSafe(drop))
            .execute(&mut connection)
            .await;
    }
    let _ = connection.close().await;
}

/// A pool on an empty database.
///
/// # Panics
/// If it cannot be created.
pub async fn pool() -> PgPool {
    pool_of(database().await).await
}

/// A pool on an existing database.
///
/// # Panics
/// If it cannot be reached.
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

/// A report without the lines that depend only on how the server was built, or on rows that a test
/// has inserted and not synced.
#[must_use]
pub fn without_server(report: CheckReport) -> CheckReport {
    report.accept(|finding| matches!(finding.kind, FindingKind::NoLz4 | FindingKind::Unfilled))
}

/// Asserts that a migration found nothing to create and no drift. Rows may have no documents.
///
/// # Panics
/// If it found something.
pub fn assert_up_to_date(migration: &Migration) {
    let found = (&migration.created, &migration.drift, &migration.stale);
    assert_eq!(
        found,
        (&Vec::new(), &Vec::new(), &Vec::new()),
        "{migration}"
    );
}

/// Runs statements that have no parameters.
///
/// # Panics
/// If one fails.
pub async fn run(pool: &PgPool, sql: &'static str) {
    if let Err(error) = sqlx::raw_sql(sql).execute(pool).await {
        panic!("{error}\n{sql}");
    }
}

/// Whether the server can create an extension. Prints SKIPPED if it cannot, because a test that
/// needs it then checks nothing.
///
/// # Panics
/// If the server cannot be asked.
pub async fn has_extension(name: &str) -> bool {
    let asked =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = $1)")
            .bind(name)
            .fetch_one(&pool().await)
            .await;
    match asked {
        Ok(true) => true,
        Ok(false) => {
            // Not `eprintln`, which the test harness captures.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: no extension {name} on this server"
            );
            false
        }
        Err(error) => panic!("{error}"),
    }
}
