//! Tests of what replicas answer with: stale documents, live views, and how many statements a read takes.

use fraiseql_runtime::{Readers, Replicas, TView};
use fraiseql_tests::cluster::until;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgConnection};

use super::{Counter, World, counts, read, settled, verify_counter};

/// The counters, built when they are read.
#[derive(Debug, TView)]
#[tview(table = "tb_counter", entity = "live_counter", storage = "live")]
#[allow(dead_code)]
struct LiveCounter {
    id: i64,
    value: i64,
}

#[tokio::test]
async fn a_replica_builds_stale_documents_and_live_views() {
    let world = World::start().await;
    let replica = world.cluster.shared_replica().await;
    let replicas = Replicas::new(world.primary.clone()).replica(replica);
    sqlx::query("UPDATE tv_counter SET shape = 0 WHERE id = 7")
        .execute(&world.primary)
        .await
        .unwrap();
    let mut connection = world.primary.acquire().await.unwrap();
    let position = fraiseql_runtime::WalPosition::current(&mut connection)
        .await
        .unwrap();
    settled(&replicas).await;
    let now = replicas.at_least(position);
    assert_eq!(read(&now, 7).await, 0);
    let listed = Counter::list().fetch::<Counter>(&now).await.unwrap();
    assert_eq!((listed.len(), listed[6].id), (100, 7));
    let live = LiveCounter::find(&now, 7).await.unwrap().unwrap();
    assert_eq!((live.id, live.value), (7, 0));
    assert_eq!(
        LiveCounter::list()
            .fetch::<LiveCounter>(&now)
            .await
            .unwrap()
            .len(),
        100
    );
    assert_eq!(counts(&replicas).await, (4, 0, 0));
}

/// How many transactions the sessions of a database have ended. Each statement outside of one is one.
async fn transactions(options: sqlx::postgres::PgConnectOptions) -> i64 {
    let mut connection = PgConnection::connect_with(&options.database("postgres"))
        .await
        .unwrap();
    sqlx::query_scalar(
        "SELECT sum(xact_commit)::int8 FROM pg_stat_database WHERE datname LIKE 'dev_postgres_%'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn under_load_a_read_is_one_statement() {
    let world = World::alone().await;
    let replica = world.cluster.replica(&[]).await;
    let pool = replica.pool();
    let replicas = Replicas::new(world.primary.clone()).replica(pool.clone());
    let position = world.write(7, 1).await;
    settled(&replicas).await;
    let before = transactions(replica.options()).await;
    let reads = (0..40).map(|_| async {
        for _ in 0..100 {
            assert_eq!(read(replicas.at_least(position), 7).await, 1);
        }
    });
    futures_util::future::join_all(reads).await;
    assert_eq!(counts(&replicas).await.0, 4_000);
    // A session reports its counts when it ends.
    pool.close().await;
    until("all sessions have reported", async || {
        transactions(replica.options()).await - before >= 4_000
    })
    .await;
    tokio::time::sleep(super::SECOND).await;
    let statements = transactions(replica.options()).await - before;
    println!("4000 reads took {statements} statements, with those of pools and probes");
    // Of a pool alone, each read is one, and with a question before it two.
    assert!(statements < 7_000, "{statements} statements for 4000 reads");
}

#[tokio::test]
async fn without_lending_each_read_asks_its_server() {
    let world = World::start().await;
    let replica = world.cluster.shared_replica().await;
    let replicas = Replicas::new(world.primary.clone())
        .replica(replica)
        .lending(false);
    let position = world.write(7, 1).await;
    settled(&replicas).await;
    for _ in 0..20 {
        assert_eq!(read(replicas.at_least(position), 7).await, 1);
    }
    assert_eq!(counts(&replicas).await, (20, 0, 0));
}

#[tokio::test]
async fn a_role_without_privileges_reads_on_replicas() {
    let world = World::start().await;
    sqlx::raw_sql("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        .execute(&world.primary)
        .await
        .unwrap();
    let replica = world.cluster.shared_replica().await;
    let connect = |options: sqlx::postgres::PgConnectOptions| {
        PgPoolOptions::new().connect_lazy_with(options.username("reader"))
    };
    let replicas = Replicas::new(connect(world.cluster.database.clone()))
        .replica(connect((*replica.connect_options()).clone()));
    let position = world.write(7, 1).await;
    settled(&replicas).await;
    assert_eq!(read(replicas.at_least(position), 7).await, 1);
    let readers = Readers::from(replicas.clone());
    assert_eq!(read(&readers, 7).await, 1);
    assert_eq!(counts(&replicas).await, (2, 0, 0));
}

#[tokio::test]
async fn a_query_that_recovery_cancels_is_answered_by_the_primary() {
    let world = World::alone().await;
    let settings = [
        ("max_standby_streaming_delay", "0"),
        ("hot_standby_feedback", "off"),
    ];
    let replica = world.cluster.replica(&settings).await;
    sqlx::raw_sql(
        "CREATE FUNCTION slow(int8) RETURNS bool LANGUAGE sql STABLE
         AS 'SELECT pg_sleep(0.01) IS NOT NULL';
         CREATE VIEW tb_slow AS SELECT id, value FROM tb_counter WHERE slow(id)",
    )
    .execute(&world.primary)
    .await
    .unwrap();
    let replicas = Replicas::new(world.primary.clone()).replica(replica.pool());
    settled(&replicas).await;

    #[derive(Debug, TView)]
    #[tview(table = "tb_slow", storage = "live")]
    #[allow(dead_code)]
    struct Slow {
        id: i64,
    }
    let slow = replicas.clone();
    let slow =
        tokio::spawn(async move { Slow::list().fetch::<Slow>(&slow).await.map(|all| all.len()) });
    // The replica is to remove rows that the query may still see.
    until("the query has ended", async || {
        for sql in [
            "UPDATE tb_counter SET value = value + 1",
            "VACUUM tb_counter",
        ] {
            sqlx::query(sql).execute(&world.primary).await.unwrap();
        }
        slow.is_finished()
    })
    .await;
    assert_eq!(slow.await.unwrap().unwrap(), 100);
    let status = replicas.status().await;
    assert_eq!(
        (status.replicas[0].failures, status.primary_reads),
        (1, 1),
        "{status}"
    );
}

#[tokio::test]
async fn a_verification_on_a_late_replica_says_what_it_cannot_know() {
    let world = World::start().await;
    assert_eq!(
        verify_counter(&world.primary).await.unwrap().on_replica,
        None
    );
    let replica = world.cluster.replica(&[]).await;
    let replicas = Replicas::new(world.primary.clone()).replica(replica.pool());
    world.write(8, 1).await;
    settled(&replicas).await;
    let pool = replica.pool();
    sqlx::query("SELECT pg_wal_replay_pause()")
        .execute(&pool)
        .await
        .unwrap();
    // A forgotten sync, which has not arrived.
    sqlx::query("UPDATE tb_counter SET value = -1 WHERE id = 7")
        .execute(&world.primary)
        .await
        .unwrap();
    tokio::time::sleep(super::SECOND).await;
    let report = verify_counter(&pool).await.unwrap();
    assert!(report.is_clean() && report.checked == 100, "{report}");
    let behind = report.on_replica.unwrap().behind.unwrap();
    assert!(behind >= super::SECOND, "{behind:?}");
    let text = report.to_string();
    assert!(
        text.contains("on a replica: what was written in the last"),
        "{text}"
    );

    sqlx::query("SELECT pg_wal_replay_resume()")
        .execute(&pool)
        .await
        .unwrap();
    settled(&replicas).await;
    let report = verify_counter(&pool).await.unwrap();
    assert_eq!(report.drifted.of::<Counter>(), [7]);
}

#[tokio::test]
async fn waiting_for_a_worker_on_a_replica_is_an_error() {
    let world = World::start().await;
    let replica = world
        .cluster
        .replica(&[("recovery_min_apply_delay", "1min")])
        .await;
    let mut m = world.model.mutation(&world.primary).await.unwrap();
    m.defer();
    m.changed::<Counter>(&[7]);
    let token = m.commit().await.unwrap().token();
    let start = std::time::Instant::now();
    let error = world
        .model
        .wait_synced(&replica.pool(), token)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("wait on the primary"), "{error}");
    assert!(start.elapsed().as_secs() < 4, "{:?}", start.elapsed());
}
