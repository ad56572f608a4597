//! Tests that a sync by keys inserts, updates, skips and deletes documents as their rows say.

use fraiseql_runtime::TView;
use fraiseql_tests::run;
use fraiseql_tests::world::blog::{Post, delete_post, sync_all_posts, sync_post};

use super::{ADA, count, counts, post, posts, rename, seeded};

#[tokio::test]
async fn documents_are_inserted_skipped_updated_and_deleted() -> anyhow::Result<()> {
    let pool = seeded(3).await;
    let keys = posts(1..=3);
    assert_eq!(counts(&sync_post(&pool, &keys).await?), [3, 0, 0, 0]);
    assert_eq!(counts(&sync_post(&pool, &keys).await?), [0, 0, 3, 0]);
    sqlx::query("UPDATE tb_post SET title = 'New' WHERE id = $1")
        .bind(post(2))
        .execute(&pool)
        .await?;
    sqlx::query("DELETE FROM tb_post WHERE id = $1")
        .bind(post(3))
        .execute(&pool)
        .await?;
    let report = sync_post(&pool, &keys).await?;
    assert_eq!(counts(&report), [0, 1, 1, 1]);
    assert!(!report.duration.is_zero());
    let found = Post::find(&pool, post(2)).await?.expect("it was synced");
    assert_eq!(found.title, "New");
    assert_eq!(found.author.full_name, "Ada Lovelace");
    assert_eq!(found.comments[0].author.username, "bob");
    assert_eq!(found.comment_count, 1);
    assert_eq!(found.editor, None);
    assert_eq!(Post::find(&pool, post(3)).await?, None);
    Ok(())
}

#[tokio::test]
async fn duplicate_keys_unknown_keys_and_empty_lists_are_accepted() -> anyhow::Result<()> {
    let pool = seeded(2).await;
    assert_eq!(counts(&sync_post(&pool, &[]).await?), [0; 4]);
    let keys = [post(2), post(1), post(2), ADA, post(1), post(2)];
    assert_eq!(counts(&sync_post(&pool, &keys).await?), [2, 0, 0, 0]);
    assert_eq!(counts(&sync_post(&pool, &[ADA]).await?), [0; 4]);
    let mut transaction = pool.begin().await?;
    assert_eq!(counts(&sync_post(&mut transaction, &[]).await?), [0; 4]);
    let keys = [post(9), post(1), post(1)];
    assert_eq!(
        counts(&sync_post(&mut transaction, &keys).await?),
        [0, 0, 1, 0]
    );
    Ok(())
}

#[tokio::test]
async fn a_list_longer_than_a_batch_is_synced_completely() -> anyhow::Result<()> {
    let pool = seeded(1_203).await;
    let mut keys = posts(1..=1_203);
    keys.reverse();
    assert_eq!(counts(&sync_post(&pool, &keys).await?), [1_203, 0, 0, 0]);
    rename(&pool, "Countess").await;
    let mut transaction = pool.begin().await?;
    let report = sync_post(&mut transaction, &keys).await?;
    assert_eq!(counts(&report), [0, 1_203, 0, 0]);
    transaction.commit().await?;
    assert_eq!(counts(&sync_all_posts(&pool).await?), [0, 0, 1_203, 0]);
    Ok(())
}

#[tokio::test]
async fn an_equal_document_gets_no_new_row_version() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    sync_post(&pool, &[post(1)]).await?;
    let version = "SELECT version, ctid::text, xmin::text, xmax::text FROM tv_post";
    let before: (i64, String, String, String) = sqlx::query_as(version).fetch_one(&pool).await?;
    // A change of a column that is not in the document.
    run(&pool, "UPDATE tb_user SET bio = 'Mathematician'").await;
    sync_post(&pool, &[post(1)]).await?;
    let after: (i64, String, String, String) = sqlx::query_as(version).fetch_one(&pool).await?;
    assert_eq!(before, after, "no new row version, not even a lock");
    assert_eq!(after.0, 1);
    rename(&pool, "Countess").await;
    sync_post(&pool, &[post(1)]).await?;
    let changed: (i64, String, String, String) = sqlx::query_as(version).fetch_one(&pool).await?;
    assert_eq!(changed.0, 2);
    Ok(())
}

#[tokio::test]
async fn a_moved_comment_updates_both_posts() -> anyhow::Result<()> {
    let pool = seeded(2).await;
    sync_post(&pool, &posts(1..=2)).await?;
    sqlx::query("UPDATE tb_comment SET post_id = $1")
        .bind(post(2))
        .execute(&pool)
        .await?;
    assert_eq!(
        counts(&sync_post(&pool, &posts(1..=2)).await?),
        [0, 2, 0, 0]
    );
    let both = Post::find_many(&pool, &posts(1..=2)).await?;
    assert_eq!(
        [both[0].comments.len(), both[1].comments.len()],
        [0, 2],
        "the old parent lost it, the new one has it"
    );
    assert_eq!([both[0].comment_count, both[1].comment_count], [0, 2]);
    Ok(())
}

#[tokio::test]
async fn a_full_sync_inserts_updates_and_removes_orphans() -> anyhow::Result<()> {
    let pool = seeded(25).await;
    let mut seen = Vec::new();
    let report = sync_all_posts(&pool)
        .chunk(10)
        .on_progress(|progress| seen.push((progress.chunks, progress.report.total())))
        .await?;
    assert_eq!(counts(&report), [25, 0, 0, 0]);
    assert_eq!(seen, [(1, 10), (2, 20), (3, 25)]);
    run(
        &pool,
        "DELETE FROM tb_post WHERE title IN ('Post 1', 'Post 10', 'Post 25')",
    )
    .await;
    run(
        &pool,
        "UPDATE tb_post SET title = 'x' WHERE title = 'Post 7'",
    )
    .await;
    let report = sync_all_posts(&pool).chunk(7).await?;
    assert_eq!(counts(&report), [0, 1, 21, 3]);
    assert_eq!(count(&pool).await, 22);
    run(&pool, "TRUNCATE tb_post CASCADE").await;
    assert_eq!(counts(&sync_all_posts(&pool).await?), [0, 0, 0, 22]);
    assert_eq!(counts(&sync_all_posts(&pool).await?), [0; 4]);
    Ok(())
}

#[tokio::test]
async fn delete_removes_documents_whose_rows_exist() -> anyhow::Result<()> {
    let pool = seeded(3).await;
    sync_all_posts(&pool).await?;
    let report = delete_post(&pool, &[post(1), post(1), ADA]).await?;
    assert_eq!(counts(&report), [0, 0, 0, 1]);
    let mut transaction = pool.begin().await?;
    delete_post(&mut transaction, &[post(2)]).await?;
    transaction.rollback().await?;
    assert_eq!(count(&pool).await, 2);
    assert_eq!(counts(&delete_post(&pool, &[]).await?), [0; 4]);
    Ok(())
}
