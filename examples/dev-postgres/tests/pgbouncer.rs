//! PgBouncer in front of a server: each version that Debian has.

use dev_postgres::{Error, PgBouncer, PgBouncerVersion, Server};
use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions as _, Connection as _};

/// A started PgBouncer, or `None` without one: the first installation needs the network.
fn start(version: Option<PgBouncerVersion>, server: &Server) -> Option<PgBouncer> {
    let builder = PgBouncer::builder().pool_size(2);
    let builder = match version {
        Some(version) => builder.version(version),
        None => builder,
    };
    match builder.start(server) {
        Ok(pooler) => Some(pooler),
        Err(error @ Error::NoPgBouncer { .. }) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "SKIPPED PgBouncer {version:?}: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn clients_share_the_connections_of_the_server() {
    let server = Server::temporary().unwrap();
    for version in [None, Some((1, 18)), Some((1, 24))] {
        let version = version.map(|(major, minor)| PgBouncerVersion::new(major, minor));
        let Some(pooler) = start(version, &server) else {
            continue;
        };
        assert!(version.is_none_or(|version| version == pooler.version()));
        assert!(pooler.description().starts_with("PgBouncer 1."));
        let database = server.create_database().await.unwrap();
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .connect_with(pooler.through(&database))
            .await
            .unwrap();
        let mut clients = Vec::new();
        for _ in 0..8 {
            clients.push(pool.acquire().await.unwrap());
        }
        for client in &mut clients {
            sqlx::raw_sql("SELECT 1")
                .execute(&mut **client)
                .await
                .unwrap();
        }
        let mut direct = database.connect().await.unwrap();
        let sessions: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .fetch_one(&mut direct)
        .await
        .unwrap();
        assert!((1..=2).contains(&sessions), "{sessions}");
        // The console is another database, which PgBouncer has itself.
        let mut console = pooler.console().connect().await.unwrap();
        sqlx::raw_sql("SHOW POOLS")
            .execute(&mut console)
            .await
            .unwrap();
        console.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_role_that_is_created_later_can_connect() {
    let server = Server::temporary().unwrap();
    let Some(pooler) = start(None, &server) else {
        return;
    };
    let mut direct = server.options().connect().await.unwrap();
    sqlx::raw_sql("CREATE ROLE later LOGIN")
        .execute(&mut direct)
        .await
        .unwrap();
    let options = pooler.through(&server.options().clone().username("later"));
    let mut client = options.connect().await.unwrap();
    let mut tx = client.begin().await.unwrap();
    let role: String = sqlx::query_scalar("SELECT current_user::text")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    assert_eq!(role, "later");
}

#[tokio::test]
async fn it_stops_with_its_value() {
    let server = Server::temporary().unwrap();
    let Some(pooler) = start(None, &server) else {
        return;
    };
    let options = pooler.through(server.options());
    let mut client = options.connect().await.unwrap();
    sqlx::raw_sql("SELECT 1")
        .execute(&mut client)
        .await
        .unwrap();
    // Although a client is connected.
    drop(pooler);
    assert!(
        sqlx::raw_sql("SELECT 1")
            .execute(&mut client)
            .await
            .is_err()
    );
    assert!(options.connect().await.is_err());
}

#[test]
fn a_setting_that_pgbouncer_refuses_is_an_error_with_its_log() {
    let server = Server::temporary().unwrap();
    if start(None, &server).is_none() {
        return;
    }
    let refused = PgBouncer::builder().setting("pool_mode", "sometimes");
    let error = refused.start(&server).unwrap_err();
    assert!(
        matches!(&error, Error::PgBouncerStart { log, .. } if log.contains("pool_mode")),
        "{error}"
    );
}

#[test]
fn a_version_that_nobody_has_is_an_error_with_the_command() {
    let server = Server::temporary().unwrap();
    let unknown = PgBouncer::builder().version(PgBouncerVersion::new(0, 1));
    let error = unknown.start(&server).unwrap_err().to_string();
    assert!(error.contains("no PgBouncer 0.1 was found"), "{error}");
    assert!(error.contains("it has 1.24 and 1.18 only"), "{error}");
    assert!(
        error.contains("install pgbouncer") || error.contains("pgbouncer"),
        "{error}"
    );
}
