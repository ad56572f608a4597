//! Tests that syncs on a pool, which begin transactions of their own, can be dropped at any await.

use std::future::IntoFuture;

use fraiseql_tests::run;
use fraiseql_tests::world::blog::{migrated, posts, sync_all_posts, sync_post};

use crate::dropped::{
    assert_connections_unchanged, poll_then_drop, pool_in_kathmandu, wait_counts,
};
use crate::posts::wrong;

#[tokio::test]
async fn a_dropped_sync_on_a_pool_leaves_complete_documents() -> anyhow::Result<()> {
    let admin = migrated(6).await;
    let pool = pool_in_kathmandu(&admin).await;
    for waits in wait_counts() {
        // Each round has something to write and something to delete.
        run(
            &admin,
            "DELETE FROM tv_post WHERE data->>'title' = 'Post 1';
             UPDATE tb_user SET full_name = full_name || '.'",
        )
        .await;
        let result = poll_then_drop(sync_post(&pool, &posts(1..=6)), waits).await;
        assert_connections_unchanged(&pool, waits).await;
        // One statement writes all of them or none. Documents that it must build again are written
        // by another.
        let left = wrong(&admin).await;
        let [all, others] = [posts(1..=6), posts(2..=6)];
        assert!(
            left.is_empty() || left == all || left == others,
            "{waits}: {left:?}"
        );
        if let Some(result) = result {
            assert_eq!(result?.changed(), 6);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_dropped_full_sync_leaves_complete_chunks() -> anyhow::Result<()> {
    let admin = migrated(12).await;
    let pool = pool_in_kathmandu(&admin).await;
    for waits in wait_counts() {
        run(&admin, "UPDATE tb_user SET full_name = full_name || '.'").await;
        let result = poll_then_drop(sync_all_posts(&pool).chunk(4).into_future(), waits).await;
        assert_connections_unchanged(&pool, waits).await;
        let left = wrong(&admin).await;
        let done = 12 - u32::try_from(left.len())?;
        assert!(
            done % 4 == 0 && left == posts(done + 1..=12),
            "{waits}: {left:?}"
        );
        if let Some(result) = result {
            assert_eq!(result?.changed(), 12);
        }
    }
    Ok(())
}
