//! Tests that the feed has the documents of every writer.

use std::time::Duration;

use fraiseql_runtime::feed::DocumentChange;
use fraiseql_runtime::{Capture, ReadModel};
use sqlx::{AssertSqlSafe, PgPool};

use super::{Post, Ticket, next, start, sync_all_posts, sync_post, world};

async fn title(pool: &PgPool, title: &str) {
    let sql = "UPDATE tb_post SET title = $1 WHERE id = 7";
    sqlx::query(sql).bind(title).execute(pool).await.unwrap();
}

#[tokio::test]
async fn every_way_to_write_documents_is_in_the_feed() {
    let (pool, model) = world().await;
    let feed = start(&model, &pool).await;
    let mut changes = feed.changes::<Post>();
    assert_eq!(next(&mut changes).await, DocumentChange::Reset);
    let seven = DocumentChange::Changed(vec![7]);

    title(&pool, "on the pool").await;
    sync_post(&pool, &[7]).await.unwrap();
    assert_eq!(next(&mut changes).await, seven);

    let mut tx = pool.begin().await.unwrap();
    sqlx::query("UPDATE tb_post SET title = 'in a transaction' WHERE id = 7")
        .execute(&mut *tx)
        .await
        .unwrap();
    sync_post(&mut tx, &[7]).await.unwrap();
    super::nothing(&mut changes).await;
    tx.commit().await.unwrap();
    assert_eq!(next(&mut changes).await, seven);

    let mut m = model.mutation(&pool).await.unwrap();
    sqlx::query("UPDATE tb_post SET title = 'a mutation' WHERE id = 7")
        .execute(&mut *m)
        .await
        .unwrap();
    m.changed::<Post>(&[7]);
    m.commit().await.unwrap();
    assert_eq!(next(&mut changes).await, seven);

    title(&pool, "a full sync").await;
    sync_all_posts(&pool).await.unwrap();
    assert_eq!(next(&mut changes).await, seven);

    title(&pool, "a repair").await;
    let mut tx = pool.begin().await.unwrap();
    model.defer(&mut tx).resync::<Post>(&[7]).await.unwrap();
    tx.commit().await.unwrap();
    model.worker(&pool).drain().await.unwrap();
    assert_eq!(next(&mut changes).await, seven);

    title(&pool, "a rebuild").await;
    fraiseql_tests::run(&pool, "UPDATE tv_post SET shape = 0 WHERE id = 7").await;
    assert_eq!(next(&mut changes).await, seven);
    model.rebuild(&pool).await.unwrap();
    assert_eq!(next(&mut changes).await, seven);

    fraiseql_tests::run(&pool, "DELETE FROM tv_post WHERE id = 7").await;
    assert_eq!(next(&mut changes).await, seven);
}

/// As other programs write, whose changes are captured.
#[tokio::test]
async fn captured_changes_arrive_as_documents() {
    for capture in [Capture::Queue, Capture::AtCommit] {
        let (pool, _) = world().await;
        let builder = ReadModel::builder().view::<Post>().view::<Ticket>();
        let model = builder.feed().capture(capture).build().unwrap();
        model.migrate(&pool).await.unwrap();
        let feed = start(&model, &pool).await;
        let mut post = feed.document::<Post>(7);
        next(&mut post).await.unwrap();
        title(&pool, "by psql").await;
        if capture == Capture::Queue {
            model.worker(&pool).drain().await.unwrap();
        }
        let changed = next(&mut post).await.unwrap().unwrap();
        assert_eq!(changed.title, "by psql", "{capture:?}");
    }
}

/// A transaction that is open for long delays nobody else, and is not forgotten.
#[tokio::test]
async fn a_long_transaction_delays_no_other_change() {
    let (pool, model) = world().await;
    let feed = start(&model, &pool).await;
    let mut changes = feed.changes::<Post>();
    assert_eq!(next(&mut changes).await, DocumentChange::Reset);
    let mut long = pool.begin().await.unwrap();
    sqlx::query("UPDATE tb_post SET title = 'long' WHERE id = 1")
        .execute(&mut *long)
        .await
        .unwrap();
    sync_post(&mut long, &[1]).await.unwrap();
    for round in 0..30 {
        title(&pool, &format!("round {round}")).await;
        sync_post(&pool, &[7]).await.unwrap();
        assert_eq!(next(&mut changes).await, DocumentChange::Changed(vec![7]));
    }
    long.commit().await.unwrap();
    assert_eq!(next(&mut changes).await, DocumentChange::Changed(vec![1]));
}

/// A writer whose snapshot is older than the note that the reader sleeps.
#[tokio::test]
async fn a_sleeping_feed_is_woken_by_every_isolation_level() {
    let (pool, model) = world().await;
    let feed = start(&model, &pool).await;
    let mut changes = feed.changes::<Post>();
    assert_eq!(next(&mut changes).await, DocumentChange::Reset);
    for isolation in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        let mut writer = pool.acquire().await.unwrap();
        let begin = format!("BEGIN ISOLATION LEVEL {isolation}; SELECT count(*) FROM tv_post");
        sqlx::raw_sql(AssertSqlSafe(begin))
            .execute(&mut *writer)
            .await
            .unwrap();
        asleep(&pool).await;
        let start = std::time::Instant::now();
        let write = "UPDATE tv_post SET data = data WHERE id = 7; COMMIT";
        sqlx::raw_sql(write).execute(&mut *writer).await.unwrap();
        assert_eq!(next(&mut changes).await, DocumentChange::Changed(vec![7]));
        assert!(start.elapsed() < Duration::from_secs(5), "{isolation}");
        writer.close().await.unwrap();
    }
}

/// Waits until the feed sleeps: it has noted that, and sends nothing.
pub(super) async fn asleep(pool: &PgPool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        let sql = "SELECT count(*) FROM fraiseql_feed WHERE sleeps_until > clock_timestamp()";
        let sleeping: i64 = sqlx::query_scalar(sql).fetch_one(pool).await.unwrap();
        if sleeping > 0 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "it stays awake");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // It looks once more after the note.
    tokio::time::sleep(Duration::from_millis(200)).await;
}
