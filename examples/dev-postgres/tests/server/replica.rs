//! Streaming replicas: copied, followed, promoted, and started again on their data.

use super::*;

/// Waits until a query on a server returns true.
async fn until(options: &sqlx::postgres::PgConnectOptions, query: &'static str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Ok(mut connection) = options.connect().await
            && let Ok(true) = sqlx::query_scalar(query).fetch_one(&mut connection).await
        {
            return;
        }
        assert!(Instant::now() < deadline, "{query}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn a_replica_follows_its_server_and_goes_on_after_a_stop() {
    let primary = Server::builder()
        .ignore_database_url()
        .setting("wal_keep_size", "64MB")
        .setting("max_connections", "150")
        .start()
        .unwrap();
    let mut connection = primary.options().connect().await.unwrap();
    sqlx::raw_sql("CREATE TABLE seen (n int)")
        .execute(&mut connection)
        .await
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let settings = || {
        Server::builder()
            .persistent(directory.path().join("server"))
            .socket_directory(directory.path().join("socket"))
    };
    {
        use std::os::unix::fs::PermissionsExt as _;
        let open = std::fs::Permissions::from_mode(0o711);
        std::fs::set_permissions(directory.path(), open).unwrap();
    }
    let address = primary
        .options()
        .clone()
        .socket(directory.path().join("socket"));
    for round in 1..=2 {
        let replica = primary.replica(settings()).await.unwrap();
        assert!(matches!(
            primary.replica(settings()).await,
            Err(Error::InUse { .. })
        ));
        sqlx::raw_sql("INSERT INTO seen VALUES (1)")
            .execute(&mut connection)
            .await
            .unwrap();
        let all = match round {
            1 => "SELECT count(*) = 1 FROM seen",
            _ => "SELECT count(*) = 2 FROM seen",
        };
        until(&address, all).await;
        until(&address, "SELECT pg_is_in_recovery()").await;
        drop(replica);
    }
    let replica = primary.replica(settings()).await.unwrap();
    until(&address, "SELECT pg_promote()").await;
    until(&address, "SELECT NOT pg_is_in_recovery()").await;
    drop(replica);
}
