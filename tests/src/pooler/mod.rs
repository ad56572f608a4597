//! Connections through a pooler in transaction mode: PgBouncer, or a stand-in where there is none.
//!
//! `TEST_POOLER=pgbouncer` puts a PgBouncer between every test that uses [`database`](crate::database) and
//! the server. Clients of one database share the connections of the server, 6 by default, or
//! `TEST_POOLER_SIZE`. They take turns on all of them, so that what a session keeps from one transaction
//! to the next is missed at once. A test that needs sessions says so by
//! [`needs_sessions`](crate::needs_sessions).

mod stand_in;

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, OnceLock};

use dev_postgres::{PgBouncer, PgBouncerBuilder, PgBouncerVersion};
use sqlx::postgres::PgConnectOptions;

pub use self::stand_in::stand_in;

/// Options for connections to the database of `server` through a pooler with this many connections of the server,
/// for all that use this function with one database. The first call writes to standard error which
/// pooler it is.
///
/// # Panics
/// If neither PgBouncer nor a stand-in can be started.
pub async fn pooler(server: &PgConnectOptions, connections: u32) -> PgConnectOptions {
    match pgbouncer(connections) {
        Some(pooler) => pooler.through(server),
        None => stand_in(server, connections as usize).await,
    }
}

/// The PgBouncer of this process with this many connections of the server for each database. `None` if there is none
/// with prepared statements, which sqlx needs.
///
/// # Panics
/// If it does not start.
pub fn pgbouncer(connections: u32) -> Option<&'static PgBouncer> {
    static STARTED: Mutex<Option<HashMap<u32, Option<&'static PgBouncer>>>> = Mutex::new(None);
    let mut started = match STARTED.lock() {
        Ok(started) => started,
        Err(error) => panic!("{error}"),
    };
    let is_first = started.is_none();
    let started = started.get_or_insert_default();
    let pooler = started.entry(connections).or_insert_with(|| {
        let builder = PgBouncer::builder().at_least(PgBouncerVersion::WITH_PREPARED_STATEMENTS);
        match taking_turns(builder, connections).start(crate::server()) {
            Ok(pooler) => {
                if is_first {
                    tell(&format!("POOLER: {}", pooler.description()));
                }
                // It stops when the process ends.
                Some(Box::leak(Box::new(pooler)))
            }
            Err(error @ dev_postgres::Error::NoPgBouncer { .. }) => {
                tell(&format!("POOLER: a stand-in, because {error}"));
                None
            }
            Err(error) => panic!("{error}"),
        }
    });
    *pooler
}

/// Starts a PgBouncer with settings of a test. `None`, with a line on standard error, if there is none of that
/// version.
///
/// # Panics
/// If it does not start.
pub fn start(builder: PgBouncerBuilder) -> Option<PgBouncer> {
    match builder.start(crate::server()) {
        Ok(pooler) => Some(pooler),
        Err(error @ dev_postgres::Error::NoPgBouncer { .. }) => {
            tell(&format!("SKIPPED: {error}"));
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The PgBouncer of all tests; `None` without `TEST_POOLER`.
///
/// # Panics
/// If there is no PgBouncer, or `TEST_POOLER` has another value.
pub fn of_all_tests() -> Option<&'static PgBouncer> {
    static POOLER: OnceLock<Option<PgBouncer>> = OnceLock::new();
    let pooler = POOLER.get_or_init(|| {
        match std::env::var("TEST_POOLER").as_deref() {
            Err(_) | Ok("") => return None,
            Ok("pgbouncer") => {}
            Ok(other) => panic!("TEST_POOLER is `{other}`; it can be `pgbouncer`"),
        }
        let size = std::env::var("TEST_POOLER_SIZE").ok();
        let size = size.map_or(Ok(6), |size| size.parse());
        let Ok(size) = size else {
            panic!("TEST_POOLER_SIZE is not a number");
        };
        match taking_turns(PgBouncer::builder(), size).start(crate::server()) {
            Ok(pooler) => {
                tell(&format!(
                    "POOLER of all tests: {}, {size} connections for each database",
                    pooler.description()
                ));
                Some(pooler)
            }
            Err(error) => panic!("{error}"),
        }
    });
    pooler.as_ref()
}

/// Clients get all connections of the server in turn, not the one that was used last. Whoever waits for one
/// for long fails.
fn taking_turns(builder: PgBouncerBuilder, connections: u32) -> PgBouncerBuilder {
    builder
        .pool_size(connections)
        .setting("min_pool_size", connections.to_string())
        .setting("server_round_robin", "1")
        .setting("query_wait_timeout", "40")
}

/// Writes past the test harness, which captures `eprintln`.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
