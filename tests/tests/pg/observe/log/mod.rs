//! Tests that each batch is a row of the log, whether it succeeds or fails, and that old rows are
//! deleted.

mod failures;
mod table;

use std::time::{Duration, SystemTime};

use fraiseql_runtime::sync::{LogEntry, Mode};
use fraiseql_tests::world::blog::{
    delete_post, logged, post, posts, refuse_post_2, sync_all_posts, sync_post,
};

/// A row without what differs between runs.
pub(super) fn row(entry: &LogEntry) -> (&str, Mode, u64, [u64; 4], u32, bool) {
    (
        &entry.entity,
        entry.mode,
        entry.keys,
        [
            entry.inserted,
            entry.updated,
            entry.unchanged,
            entry.deleted,
        ],
        entry.retries,
        entry.success,
    )
}

#[tokio::test]
async fn each_batch_is_a_row_with_its_own_counts_and_time() -> anyhow::Result<()> {
    let (pool, log, model) = logged(5).await;
    let begin = SystemTime::now() - Duration::from_secs(1);
    let all = sync_all_posts(model.on(&pool)).chunk(2).await?;
    assert_eq!(all.inserted, 5);
    sqlx::query("DELETE FROM tb_post WHERE id = $1")
        .bind(post(5))
        .execute(&pool)
        .await?;
    sqlx::query("UPDATE tb_post SET title = 'New' WHERE id = $1")
        .bind(post(1))
        .execute(&pool)
        .await?;
    sync_post(model.on(&pool), &[post(1), post(2), post(5), post(9)]).await?;
    delete_post(model.on(&pool), &[post(1), post(9)]).await?;
    let rows = log.recent(10).await?;
    let shown: Vec<_> = rows.iter().map(row).collect();
    assert_eq!(
        shown,
        [
            ("post", Mode::Delete, 2, [0, 0, 0, 1], 0, true),
            ("post", Mode::Sync, 4, [0, 1, 1, 1], 0, true),
            ("post", Mode::Full, 1, [1, 0, 0, 0], 0, true),
            ("post", Mode::Full, 2, [2, 0, 0, 0], 0, true),
            ("post", Mode::Full, 2, [2, 0, 0, 0], 0, true),
        ]
    );
    assert_eq!(log.recent(2).await?, rows[..2]);
    let times: Vec<Duration> = rows[2..].iter().map(|row| row.duration).collect();
    assert!(times.iter().all(|time| !time.is_zero()), "{times:?}");
    assert!(times.iter().sum::<Duration>() <= all.duration, "{times:?}");
    for row in &rows {
        assert!(
            row.created_at >= begin && row.created_at <= SystemTime::now() + Duration::from_secs(1)
        );
        assert_eq!(row.error, None);
    }
    // A sync without the read model is not logged.
    sync_post(&pool, &[post(1)]).await?;
    assert_eq!(log.recent(10).await?.len(), 5);
    Ok(())
}

#[tokio::test]
async fn a_long_list_of_keys_has_a_row_for_each_500() -> anyhow::Result<()> {
    let (pool, log, model) = logged(501).await;
    sync_post(model.on(&pool), &posts(1..=501)).await?;
    let mut tx = pool.begin().await?;
    sync_post(model.on(&mut tx), &posts(1..=501)).await?;
    tx.commit().await?;
    let keys: Vec<u64> = log.recent(10).await?.iter().map(|row| row.keys).collect();
    assert_eq!(keys, [1, 500, 1, 500]);
    Ok(())
}

#[tokio::test]
async fn a_success_is_logged_if_and_only_if_its_transaction_commits() -> anyhow::Result<()> {
    let (pool, log, model) = logged(1).await;
    let mut tx = pool.begin().await?;
    sync_post(model.on(&mut tx), &[post(1)]).await?;
    assert!(log.recent(10).await?.is_empty(), "it is not committed");
    tx.rollback().await?;
    assert!(log.recent(10).await?.is_empty());
    let mut tx = pool.begin().await?;
    sync_post(model.on(&mut tx), &[post(1)]).await?;
    tx.commit().await?;
    let rows = log.recent(10).await?;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].inserted, 1);
    Ok(())
}

#[tokio::test]
async fn a_connection_without_a_transaction_logs_too() -> anyhow::Result<()> {
    let (pool, log, model) = logged(1).await;
    let mut connection = pool.acquire().await?;
    sync_post(model.on(&mut connection), &[post(1)]).await?;
    assert_eq!(log.recent(10).await?.len(), 1);
    // A transaction that was begun with SQL, too.
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
    sync_post(model.on(&mut connection), &[post(1)]).await?;
    sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await?;
    assert_eq!(log.recent(10).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_log_can_be_switched_on_and_off_at_run_time() -> anyhow::Result<()> {
    let (pool, log, model) = logged(2).await;
    let rows = async || log.recent(10).await.unwrap().len();
    log.set_enabled(false);
    assert!(!log.is_enabled());
    sync_post(model.on(&pool), &[post(1)]).await?;
    refuse_post_2(&pool).await;
    sync_post(model.on(&pool), &[post(2)]).await.unwrap_err();
    assert_eq!(rows().await, 0);
    log.set_enabled(true);
    log.set_failures_only(true);
    sync_post(model.on(&pool), &[post(1)]).await?;
    assert_eq!(rows().await, 0);
    sync_post(model.on(&pool), &[post(2)]).await.unwrap_err();
    assert_eq!(rows().await, 1);
    log.set_failures_only(false);
    sync_post(model.on(&pool), &[post(1)]).await?;
    assert_eq!(rows().await, 2);
    Ok(())
}
