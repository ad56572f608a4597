//! Tests of a feed with many streams and nothing to do.

use std::time::Duration;

use fraiseql_runtime::feed::DocumentChange;
use futures_util::{FutureExt as _, StreamExt as _};
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
    let feed = builder.max_wait(Duration::from_millis(200)).start().await.unwrap();
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
