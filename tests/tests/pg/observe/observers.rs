//! Tests that every observer is called once for each batch.

use fraiseql_runtime::ReadModel;
use fraiseql_runtime::sync::Mode;
use fraiseql_tests::world::blog::{
    Post, deadlocked, delete_post, logged, posts, refuse_post_2, rename, sync_all_posts, sync_post,
};
use fraiseql_tests::world::counts;

use super::RecordedBatches;
use super::log::row;

#[tokio::test]
async fn every_observer_is_called_once_for_each_batch() -> anyhow::Result<()> {
    let (pool, _, _) = logged(2).await;
    let (first, second) = (RecordedBatches::default(), RecordedBatches::default());
    let model = ReadModel::builder()
        .view::<Post>()
        .observe(first.clone())
        .observe(second.clone())
        .build()?;
    sync_all_posts(model.on(&pool)).chunk(1).await?;
    refuse_post_2(&pool).await;
    rename(&pool, "Countess").await;
    let mut tx = pool.begin().await?;
    sync_post(model.on(&mut tx), &posts(1..=2))
        .await
        .unwrap_err();
    let recorded = first.take();
    assert_eq!(recorded, second.take());
    assert_eq!(recorded.len(), 3, "{recorded:?}");
    assert_eq!(
        recorded[..2],
        ["full tv_post (1 keys, 0 retries) [1, 0, 0, 0]"; 2]
    );
    let failed = "sync tv_post (2 keys, 0 retries) syncing \"public\".\"tv_post\": error";
    assert!(recorded[2].starts_with(failed), "{recorded:?}");
    Ok(())
}
#[tokio::test]
async fn a_sync_on_a_pool_is_retried_after_a_deadlock() -> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let (pool, log, model) = logged(2).await;
    sync_all_posts(&pool).await?;
    rename(&pool, "Countess").await;
    let report = deadlocked(&pool, |pool| {
        let model = model.clone();
        async move { sync_post(model.on(&pool), &posts(1..=2)).await }
    })
    .await?;
    assert_eq!(counts(&report), [0, 2, 0, 0]);
    let rows = log.recent(10).await?;
    assert_eq!(rows.len(), 1);
    // The other session may lose the race for the first document, and wait for it once more.
    let retries = rows[0].retries;
    assert!((1..=5).contains(&retries), "{retries}");
    assert_eq!(
        row(&rows[0]),
        ("post", Mode::Sync, 2, [0, 2, 0, 0], retries, true)
    );
    Ok(())
}

#[tokio::test]
async fn a_delete_on_a_pool_is_retried_after_a_deadlock() -> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let (pool, log, model) = logged(2).await;
    sync_all_posts(&pool).await?;
    let report = deadlocked(&pool, |pool| {
        let model = model.clone();
        async move { delete_post(model.on(&pool), &posts(1..=2)).await }
    })
    .await?;
    assert_eq!(counts(&report), [0, 0, 0, 2]);
    let rows = log.recent(10).await?;
    let retries = rows[0].retries;
    assert!((1..=5).contains(&retries), "{retries}");
    assert_eq!(
        row(&rows[0]),
        ("post", Mode::Delete, 2, [0, 0, 0, 2], retries, true)
    );
    Ok(())
}
