//! Tests of a feed with many streams and nothing to do.

use std::time::Duration;

use fraiseql_runtime::feed::DocumentChange;
use futures_util::{FutureExt as _, StreamExt as _};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::PgPool;

use super::writers::asleep;
use super::{Post, next, start, sync_post, world};

/// When the feed last sent a statement.
async fn last_statement(pool: &PgPool) -> String {
    let sql = "SELECT max(query_start)::text FROM pg_stat_activity
        WHERE application_name = 'feed' AND datname = current_database()";
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn ten_thousand_idle_streams_send_nothing() {
    let (pool, model) = world().await;
    let options = (*pool.connect_options()).clone().application_name("feed");
    let own = fraiseql_tests::pool_of(options).await;
    let feed = start(&model, &own).await;
    let mut changes: Vec<_> = (0..10_000).map(|_| feed.changes::<Post>()).collect();
    for changes in &mut changes {
        assert_eq!(next(changes).await, DocumentChange::Reset);
    }
    asleep(&pool).await;
    // It looks until all transactions of the server have ended that were open when it fell asleep.
    let mut looks = 0;
    while std::mem::replace(&mut looks, feed.health().looks) != looks {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
    }
    let (before, looks) = (last_statement(&pool).await, feed.health().looks);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(last_statement(&pool).await, before);
    assert_eq!((feed.health().looks, feed.health().listens), (looks, true));

    // All of them hear of a change, by a few looks.
    sync_post(&pool, &[7]).await.unwrap();
    fraiseql_tests::run(&pool, "UPDATE tb_post SET title = 'New' WHERE id = 7").await;
    sync_post(&pool, &[7]).await.unwrap();
    for changes in &mut changes {
        assert_eq!(next(changes).await, DocumentChange::Changed(vec![7]));
        assert_eq!(changes.next().now_or_never(), None);
    }
    assert!(feed.health().looks < looks + 20, "{:?}", feed.health());
}

/// A feed that nobody can wake looks by itself.
#[tokio::test]
async fn without_notifications_a_feed_looks_once_in_a_while() {
    let (pool, model) = world().await;
    let builder = model.feed(&pool).listen(false);
    let feed = builder
        .max_wait(Duration::from_millis(200))
        .start()
        .await
        .unwrap();
    let mut changes = feed.changes::<Post>();
    assert_eq!(next(&mut changes).await, DocumentChange::Reset);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let looks = feed.health().looks;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let looks = feed.health().looks - looks;
    assert!((2..=6).contains(&looks), "{looks}");
    assert!(!feed.health().listens);
    fraiseql_tests::run(&pool, "UPDATE tb_post SET title = 'New' WHERE id = 7").await;
    sync_post(&pool, &[7]).await.unwrap();
    assert_eq!(next(&mut changes).await, DocumentChange::Changed(vec![7]));
}

/// Without streams, the feed does not look.
#[tokio::test]
async fn a_feed_without_streams_does_not_look() {
    let (pool, model) = world().await;
    let feed = start(&model, &pool).await;
    drop(feed.changes::<Post>());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let looks = feed.health().looks;
    for _ in 0..5 {
        sync_post(&pool, &[7]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(feed.health().looks, looks);
}

/// Writers whose transactions begin, write, look and commit at any moment while the feed falls asleep.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_writer_is_missed_while_a_feed_falls_asleep() {
    const ROUNDS: u64 = 120;
    const WRITERS: u64 = 4;
    let (pool, model) = world().await;
    let builder = model.feed(&pool).max_wait(Duration::from_millis(15));
    let feed = builder.start().await.unwrap();
    // The note that it sleeps takes its time: transactions that begin meanwhile do not see it.
    fraiseql_tests::run(
        &pool,
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END';
         CREATE TRIGGER slow AFTER INSERT OR UPDATE ON fraiseql_feed
             FOR EACH ROW WHEN (NEW.sleeps_until IS NOT NULL) EXECUTE FUNCTION slow()",
    )
    .await;
    let looks = feed.health().looks;
    let writers = (0..WRITERS).map(|writer| {
        let (pool, feed) = (pool.clone(), feed.clone());
        tokio::spawn(async move {
            let id = i64::try_from(writer).unwrap() + 1;
            let mut post = feed.document::<Post>(id);
            next(&mut post).await.unwrap();
            let mut rng = SmallRng::seed_from_u64(writer);
            let mut pause = async |most| {
                tokio::time::sleep(Duration::from_micros(rng.random_range(0..most))).await;
            };
            for round in 0..ROUNDS {
                pause(150_000).await;
                let mut tx = pool.begin().await.unwrap();
                sqlx::query("UPDATE tb_post SET title = $2 WHERE id = $1")
                    .bind(id)
                    .bind(round.to_string())
                    .execute(&mut *tx)
                    .await
                    .unwrap();
                pause(3_000).await;
                sync_post(&mut tx, &[id]).await.unwrap();
                pause(30_000).await;
                tx.commit().await.unwrap();
                let start = std::time::Instant::now();
                let seen = next(&mut post).await.unwrap().unwrap();
                assert_eq!(seen.title, round.to_string());
                // Without a notification it would look after half a minute.
                assert!(start.elapsed() < Duration::from_secs(10), "round {round}");
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    for writer in writers {
        writer.await.unwrap();
    }
    // It did fall asleep: awake, it would have looked every 15 ms.
    let looks = feed.health().looks - looks;
    assert!(looks < ROUNDS * WRITERS * 4, "{looks}");
}

/// A transaction that begins while the note is written, looks before it is there, and commits long after.
#[tokio::test]
async fn a_writer_that_begins_while_the_feed_falls_asleep_is_waited_for() {
    let (pool, model) = world().await;
    fraiseql_tests::run(
        &pool,
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
         CREATE TRIGGER slow AFTER INSERT OR UPDATE ON fraiseql_feed
             FOR EACH ROW WHEN (NEW.sleeps_until IS NOT NULL) EXECUTE FUNCTION slow()",
    )
    .await;
    let feed = start(&model, &pool).await;
    let mut changes = feed.changes::<Post>();
    assert_eq!(next(&mut changes).await, DocumentChange::Reset);
    let sleeping = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'";
    while sqlx::query_scalar::<_, i64>(sleeping)
        .fetch_one(&pool)
        .await
        .unwrap()
        == 0
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut writer = pool.begin().await.unwrap();
    sqlx::query("UPDATE tb_post SET title = 'New' WHERE id = 7")
        .execute(&mut *writer)
        .await
        .unwrap();
    sync_post(&mut writer, &[7]).await.unwrap();
    asleep(&pool).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    writer.commit().await.unwrap();
    let start = std::time::Instant::now();
    assert_eq!(next(&mut changes).await, DocumentChange::Changed(vec![7]));
    assert!(start.elapsed() < Duration::from_secs(5));
}
