//! Tests that mutations and rebuilds that are dropped at any await change everything or nothing.

use std::future::IntoFuture;
use std::time::{Duration, Instant};

use fraiseql_runtime::rebuild::RebuildOutcome;
use fraiseql_runtime::{Mutation, ReadModel, Result};
use fraiseql_tests::run;
use fraiseql_tests::world::blog::{
    ADA, Post, PostComment, migrated, model, post, posts, sync_all_posts,
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::dropped::{
    assert_connections_unchanged, poll_then_drop, pool_in_kathmandu, pool_in_kathmandu_of,
};
use crate::posts::{NONE, change, failed, wrong};

/// After how many waits to drop a future that waits often.
fn wait_counts() -> impl Iterator<Item = usize> {
    // How often a mutation waits depends on the time that the server takes. The last one always ends.
    (0..3).flat_map(|_| 0..40).chain([1_000])
}

/// Changes five posts, and deletes the sixth with its comments, or inserts it again.
async fn work(m: &mut Mutation, value: u64) -> Result<()> {
    for n in 1..=5 {
        change(m, post(n), value).await.map_err(failed)?;
    }
    let gone = sqlx::query("DELETE FROM tb_post WHERE id = $1")
        .bind(post(6))
        .execute(&mut **m)
        .await
        .map_err(failed)?;
    if gone.rows_affected() == 0 {
        sqlx::query("INSERT INTO tb_post (id, author_id, title) VALUES ($1, $2, 'Back')")
            .bind(post(6))
            .bind(ADA)
            .execute(&mut **m)
            .await
            .map_err(failed)?;
        change(m, post(6), value).await.map_err(failed)?;
    }
    m.changed::<Post>(&posts(1..=6));
    m.changed_rows("tb_comment", "post_id", &posts(1..=6))
}

async fn comments(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tb_comment")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Asserts all of it or nothing: never some of the rows, never a document without its row.
async fn assert_all_or_nothing(pool: &PgPool, model: &ReadModel) -> anyhow::Result<()> {
    assert_eq!(wrong(pool).await, NONE);
    let titles: Vec<Option<String>> =
        sqlx::query_scalar("SELECT DISTINCT title FROM tb_post WHERE id = ANY ($1)")
            .bind(posts(1..=5))
            .fetch_all(pool)
            .await?;
    assert_eq!(titles.len(), 1, "{titles:?}");
    assert!(model.verify(pool).await?.is_clean());
    Ok(())
}

/// After this number of waits a mutation has not reached its commit, even if many responses arrived
/// without a wait: it has more than twice as many statements.
const EARLY: usize = 5;

#[tokio::test]
async fn a_dropped_mutation_is_rolled_back_completely() -> anyhow::Result<()> {
    let admin = migrated(6).await;
    run(&admin, "UPDATE tb_post SET title = 'Same'").await;
    sync_all_posts(&admin).await?;
    let (pool, model) = (pool_in_kathmandu(&admin).await, model());
    let (mut ready, mut waited) = (0, 0);
    for waits in wait_counts() {
        let before = comments(&admin).await;
        let value = u64::try_from(waits)?;
        let mutation = model.mutate(&pool, async |m| work(m, value).await);
        let result = poll_then_drop(mutation, waits).await;
        assert_connections_unchanged(&pool, waits).await;
        assert_all_or_nothing(&admin, &model).await?;
        match result {
            Some(result) => {
                result?;
                ready += 1;
            }
            None => {
                waited += 1;
                // Near the end the server may have committed although nobody has read its response.
                let added = comments(&admin).await - before;
                assert!(
                    added == 0 || waits > EARLY,
                    "{added} comments after {waits} waits"
                );
            }
        }
    }
    assert!(ready > 0 && waited > 0, "{ready} ready, {waited} dropped");
    Ok(())
}

#[tokio::test]
async fn a_dropped_commit_applies_everything_or_nothing() -> anyhow::Result<()> {
    let admin = migrated(6).await;
    run(&admin, "UPDATE tb_post SET title = 'Same'").await;
    sync_all_posts(&admin).await?;
    let model = model();
    let (mut ready, mut waited) = (0, 0);
    // The mutation reads the past on another connection of the pool.
    let pools = [
        pool_in_kathmandu_of(&admin, 2).await,
        pool_in_kathmandu_of(&admin, 3).await,
    ];
    for (pool, waits) in pools
        .iter()
        .flat_map(|pool| (0..3).flat_map(move |_| (0..20).map(move |waits| (pool, waits))))
        // How often a commit waits depends on the time that the server takes. These always end.
        .chain(pools.iter().map(|pool| (pool, 1_000)))
    {
        let mut mutation = model.mutation(pool).await?;
        work(&mut mutation, u64::try_from(waits)?).await?;
        let result = poll_then_drop(mutation.commit(), waits).await;
        assert_connections_unchanged(pool, waits).await;
        assert_all_or_nothing(&admin, &model).await?;
        match result {
            Some(result) => {
                result?;
                ready += 1;
            }
            None => waited += 1,
        }
    }
    assert!(ready > 0 && waited > 0, "{ready} ready, {waited} dropped");
    Ok(())
}

/// A savepoint is rolled back with its marks; or the whole mutation is, with an error at its
/// commit.
#[tokio::test]
async fn a_dropped_savepoint_leaves_no_partial_change() -> anyhow::Result<()> {
    let admin = migrated(6).await;
    sync_all_posts(&admin).await?;
    let (pool, model) = (pool_in_kathmandu(&admin).await, model());
    let mut kept = 0;
    for waits in (0..6).flat_map(|_| 0..6) {
        let value = u64::try_from(waits)?;
        let mut mutation = model.mutation(&pool).await?;
        change(&mut mutation, post(1), value).await?;
        mutation.changed::<Post>(&[post(1)]);
        let part = async {
            let mut part = mutation.savepoint().await?;
            change(&mut part, post(2), value).await.map_err(failed)?;
            part.changed::<Post>(&[post(2)]);
            part.release().await
        };
        poll_then_drop(part, waits).await.transpose()?;
        // A savepoint that was dropped while it began or was released can fail the whole mutation.
        kept += u32::from(
            mutation
                .commit()
                .await
                .is_ok_and(|report| report.total() > 0),
        );
        assert_connections_unchanged(&pool, waits).await;
        assert_eq!(wrong(&admin).await, NONE, "after {waits} waits");
    }
    assert!(kept > 0, "the mutation never got through");
    Ok(())
}

/// The lock of the view is released with the connection, and the next rebuild continues.
#[tokio::test]
async fn a_dropped_rebuild_is_completed_by_the_next() -> anyhow::Result<()> {
    let admin = migrated(12).await;
    sync_all_posts(&admin).await?;
    let (pool, model) = (pool_in_kathmandu(&admin).await, model());
    let (mut ready, mut waited) = (0, 0);
    // The rebuild connects as well, which takes many waits.
    for waits in (0..50).chain((50..200).step_by(10)).chain([usize::MAX]) {
        run(
            &admin,
            "UPDATE tv_post SET shape = shape - 1; DELETE FROM fraiseql_view;
             UPDATE tb_user SET full_name = full_name || '.'",
        )
        .await;
        match poll_then_drop(model.rebuild(&pool).chunk(4).into_future(), waits).await {
            Some(report) => {
                assert_eq!(report?.views[0].report.updated, 12);
                ready += 1;
            }
            None => waited += 1,
        }
        assert_connections_unchanged(&pool, waits).await;
        let left = wrong(&admin).await;
        let done = 12 - u32::try_from(left.len())?;
        assert!(
            done % 4 == 0 && left == posts(done + 1..=12),
            "{waits}: {left:?}"
        );
        // The server may need a moment to notice that the connection is gone.
        let deadline = Instant::now() + Duration::from_secs(20);
        while model.rebuild(&admin).await?.views[0].outcome == RebuildOutcome::InProgress {
            assert!(Instant::now() < deadline, "the lock outlives its session");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(wrong(&admin).await, NONE, "after {waits} waits");
    }
    assert!(ready > 0 && waited > 0, "{ready} ready, {waited} dropped");
    Ok(())
}

/// Changes that were not marked in a mutation are found, reported and repaired.
#[tokio::test]
async fn changes_that_were_not_synced_are_reported_and_repaired() -> anyhow::Result<()> {
    let pool = migrated(6).await;
    sync_all_posts(&pool).await?;
    let model = model();
    let (comment, _) = model
        .mutate(&pool, async |m| -> Result<Uuid> {
            change(m, post(3), 1).await.map_err(failed)?;
            // Only the comment is marked, not the changed title of another post.
            change(m, post(5), 1).await.map_err(failed)?;
            let sql = "SELECT id FROM tb_comment WHERE post_id = $1";
            let comment: Uuid = sqlx::query_scalar(sql)
                .bind(post(3))
                .fetch_one(&mut **m)
                .await
                .map_err(failed)?;
            m.changed::<PostComment>(&[comment]);
            Ok(comment)
        })
        .await?;
    assert_ne!(comment, Uuid::nil());
    assert_eq!(wrong(&pool).await, [post(5)]);
    let report = model.verify(&pool).repair().await?;
    let report = report.of::<Post>().expect("the model has posts");
    assert_eq!(report.drifted.of::<Post>(), [post(5)]);
    assert_eq!((report.missing.total(), report.orphaned.total()), (0, 0));
    assert_eq!(wrong(&pool).await, NONE);
    assert!(model.verify(&pool).await?.is_clean());
    Ok(())
}
