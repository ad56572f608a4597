//! Tests of positions: what they name, and what a client can do with one that it has made up.

use std::time::Instant;

use fraiseql_runtime::{Replicas, WalPosition};
use fraiseql_tests::cluster::until;
use sqlx::PgConnection;

use super::{World, counts, read, settled, write};

/// Writes to the log until its last record, of a commit, ends with a page.
async fn end_with_a_page(connection: &mut PgConnection) {
    let mut at = offset(connection).await;
    // What is written beside the text, as far as is known.
    let mut beside = 0;
    for _ in 0..500 {
        if at == 24 {
            return;
        }
        let left = 8192 - at;
        let text = match left - beside {
            // It is measured by one that fits.
            _ if beside == 0 && left > 1_000 => 400,
            text if beside > 0 && text >= 400 => text,
            _ => left,
        };
        sqlx::query("SELECT pg_logical_emit_message(true, 'test', repeat('x', $1))")
            .bind(text)
            .execute(&mut *connection)
            .await
            .unwrap();
        let next = offset(connection).await;
        // Within a page, and again each time: a commit may write more than another.
        if next > at {
            beside = next - at - text;
        }
        at = next;
    }
    panic!("no record ended with a page");
}

/// Where the next record begins in its page.
async fn offset(connection: &mut PgConnection) -> i32 {
    let sql = "SELECT mod(pg_current_wal_insert_lsn() - '0/0', 8192)::int4";
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn a_position_at_the_end_of_a_page_is_reached_on_an_idle_system() {
    let world = World::alone().await;
    let replica = world.cluster.replica(&[]).await;
    let mut connection = world.primary.acquire().await.unwrap();
    end_with_a_page(&mut connection).await;
    let position = WalPosition::current(&mut connection).await.unwrap();
    assert_eq!(
        offset(&mut connection).await,
        24,
        "another process has written to the log"
    );
    let lsn = position.to_string();
    let lsn = u64::from_str_radix(lsn.rsplit('-').next().unwrap(), 16).unwrap();
    assert_eq!(lsn % 8192, 0, "the header of the next page does not count");

    let replicas = Replicas::new(world.primary.clone())
        .replica(replica.pool())
        .max_wait(10 * super::SECOND);
    settled(&replicas).await;
    read(replicas.at_least(position), 7).await;
    assert_eq!(counts(&replicas).await, (1, 0, 0));
}

#[tokio::test]
async fn a_made_up_position_is_slow_at_most() {
    let world = World::start().await;
    let replica = world.cluster.shared_replica().await;
    let replicas = Replicas::new(world.primary.clone()).replica(replica);
    settled(&replicas).await;
    let real = world.write(7, 1).await.unwrap();
    assert_eq!(read(replicas.at_least(real), 7).await, 1);

    let text = real.to_string();
    let parts: Vec<&str> = text.split('-').collect();
    let [system, timeline, lsn] = [parts[0], parts[1], parts[2]];
    let made_up = [
        // The far future, of this system or of a timeline that is to come.
        format!("{system}-{timeline}-ffffffffffffffff"),
        format!("{system}-ffffffff-{lsn}"),
        // Other systems and timelines that never were.
        format!("1-{timeline}-{lsn}"),
        "0-0-0".to_owned(),
        format!("{system}-0-ffffffffffffffff"),
        "ffffffffffffffff-ffffffff-ffffffffffffffff".to_owned(),
    ];
    for text in made_up {
        let position: WalPosition = text.parse().unwrap();
        let start = Instant::now();
        assert_eq!(read(replicas.at_least(position), 7).await, 1, "{text}");
        assert!(
            start.elapsed().as_millis() < 1_000,
            "{text}: {:?}",
            start.elapsed()
        );
    }
    // The past is everywhere.
    let before = counts(&replicas).await;
    let past: WalPosition = format!("{system}-{timeline}-1").parse().unwrap();
    read(replicas.at_least(past), 7).await;
    assert_eq!(counts(&replicas).await.0, before.0 + 1);

    // Many at once wait together, and in memory alone.
    let future: WalPosition = format!("{system}-{timeline}-ffffffffffffffff")
        .parse()
        .unwrap();
    let start = Instant::now();
    let all = (0..500).map(|_| read(replicas.at_least(future), 7));
    futures_util::future::join_all(all).await;
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_later_of_two_positions_counts() {
    let world = World::start().await;
    let late = world
        .cluster
        .replica(&[("recovery_min_apply_delay", "1min")])
        .await;
    let replicas = Replicas::new(world.primary.clone()).replica(late.pool());
    let early = world.write(7, 1).await.unwrap();
    let later = world.write(7, 2).await.unwrap();
    assert!(early < later);
    for both in [
        replicas.at_least(early).at_least(later),
        replicas.at_least(later).at_least(early),
        replicas.at_least(later).at_least(None),
    ] {
        assert_eq!(read(&both, 7).await, 2);
    }
}

#[tokio::test]
async fn a_mutation_returns_its_position_with_the_commit_and_rolls_nothing_back() {
    let world = World::alone().await;
    let mut connection = world.primary.acquire().await.unwrap();
    for value in 1..=20 {
        let before = WalPosition::current(&mut connection).await.unwrap();
        let position = world.write(7, value).await.unwrap();
        let after = WalPosition::current(&mut connection).await.unwrap();
        assert!(before < position && position <= after);
    }
    // The empty transaction that follows a commit is over when the connection is back in the pool.
    until("no session is in a transaction", async || {
        let open: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
        )
        .fetch_one(&world.primary)
        .await
        .unwrap();
        open == 0
    })
    .await;
    drop(connection);
    // Sessions report their counts when they end.
    world.primary.close().await;
    let admin = world.cluster.primary().await;
    let counts = async || -> (i64, i64) {
        sqlx::query_as("SELECT xact_commit, xact_rollback FROM pg_stat_database WHERE datname = current_database()")
            .fetch_one(&admin)
            .await
            .unwrap()
    };
    until("all sessions have reported", async || counts().await.0 > 80).await;
    assert_eq!(
        counts().await.1,
        0,
        "a mutation that commits rolls nothing back"
    );
}

/// A role that may not ask for the position still commits.
#[tokio::test]
async fn without_the_privilege_a_mutation_commits_and_has_no_position() {
    let world = World::alone().await;
    sqlx::raw_sql(
        "CREATE ROLE poor LOGIN;
         GRANT ALL ON ALL TABLES IN SCHEMA public TO poor;
         REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC",
    )
    .execute(&world.primary)
    .await
    .unwrap();
    let options = world.cluster.database.clone().username("poor");
    let poor = sqlx::PgPool::connect_with(options).await.unwrap();
    for value in 1..=3 {
        assert_eq!(write(&world.model, &poor, 7, value).await.unwrap(), None);
        assert_eq!(read(&poor, 7).await, value);
    }
}
