//! Tests that synced documents are read back: in order, of older structs, of any size.

use fraiseql_runtime::{Error, TView};
use fraiseql_tests::run;
use fraiseql_tests::world::blog::{Post, sync_all_posts, sync_post};
use uuid::Uuid;

use super::{ADA, counts, post, posts, rename, seeded};

#[tokio::test]
async fn find_many_keeps_the_order_of_the_keys() -> anyhow::Result<()> {
    let pool = seeded(3).await;
    sync_all_posts(&pool).await?;
    let found = Post::find_many(&pool, &[post(3), ADA, post(1), post(3)]).await?;
    let keys: Vec<Uuid> = found.iter().map(|post| post.id).collect();
    assert_eq!(keys, [post(3), post(1), post(3)]);
    assert!(Post::find_many(&pool, &[]).await?.is_empty());
    let json = Post::find_json(&pool, post(1)).await?.expect("synced");
    assert!(
        json.get()
            .contains("\"createdAt\": \"2026-01-01T00:01:00+00:00\"")
    );
    Ok(())
}

#[tokio::test]
async fn a_document_of_an_older_struct_is_an_error_with_its_key() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    sync_all_posts(&pool).await?;
    run(&pool, "UPDATE tv_post SET data = data - 'title'").await;
    let error = Post::find(&pool, post(1)).await.unwrap_err();
    assert!(matches!(&error, Error::Document { key, .. } if *key == post(1).to_string()));
    assert!(
        error.to_string().contains("missing field `title`"),
        "{error}"
    );
    Ok(())
}

/// A struct can get an optional field before every document has it.
#[tokio::test]
async fn a_document_without_an_optional_field_can_be_read() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    sync_all_posts(&pool).await?;
    run(&pool, "UPDATE tv_post SET data = data - 'editor'").await;
    let found = Post::find(&pool, post(1)).await?.expect("synced");
    assert_eq!(found.editor, None);
    Ok(())
}

/// A view table that was restored from another server has transaction ids of that server, which may
/// be ahead of those of this one.
#[tokio::test]
async fn documents_of_a_restored_table_are_synced() -> anyhow::Result<()> {
    let pool = seeded(3).await;
    sync_all_posts(&pool).await?;
    run(
        &pool,
        "UPDATE tv_post SET synced_xid = '18446744073709551615'",
    )
    .await;
    rename(&pool, "Countess").await;
    assert_eq!(
        counts(&sync_post(&pool, &posts(1..=2)).await?),
        [0, 2, 0, 0]
    );
    let mut transaction = pool.begin().await?;
    let report = sync_post(&mut transaction, &[post(3)]).await?;
    assert_eq!(counts(&report), [0, 1, 0, 0]);
    transaction.commit().await?;
    assert_eq!(counts(&sync_all_posts(&pool).await?), [0, 0, 3, 0]);
    // Also those whose row is gone.
    run(
        &pool,
        "UPDATE tv_post SET synced_xid = '18446744073709551615'; TRUNCATE tb_comment;
         DELETE FROM tb_post",
    )
    .await;
    let report = sync_post(&pool, &posts(1..=1)).await?;
    assert_eq!(counts(&report), [0, 0, 0, 1]);
    assert_eq!(counts(&sync_all_posts(&pool).await?), [0, 0, 0, 2]);
    Ok(())
}

#[tokio::test]
async fn a_field_of_a_megabyte_is_stored_completely() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    let title = "é\"\\\n".repeat(200_000);
    sqlx::query("UPDATE tb_post SET title = $1")
        .bind(&title)
        .execute(&pool)
        .await?;
    sync_post(&pool, &[post(1)]).await?;
    let found = Post::find(&pool, post(1)).await?.expect("it was synced");
    assert!(found.title == title, "{} bytes", found.title.len());
    Ok(())
}
