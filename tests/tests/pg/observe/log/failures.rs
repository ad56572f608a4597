//! Tests that failures are logged, and that a failing log fails no sync.

use std::time::Duration;

use fraiseql_runtime::sync::Mode;
use fraiseql_runtime::{ReadModel, TView as _};
use fraiseql_tests::run;
use fraiseql_tests::world::blog::{
    Post, logged, logged_on, post, posts, refuse_post_2, sync_all_posts, sync_post,
};
use sqlx::Connection as _;
use sqlx::postgres::PgPoolOptions;

use super::row;
use crate::observe::RecordedBatches;

#[tokio::test]
async fn a_failure_is_logged_although_its_transaction_is_rolled_back() -> anyhow::Result<()> {
    let (pool, log, model) = logged(2).await;
    refuse_post_2(&pool).await;
    let mut tx = pool.begin().await?;
    sync_post(model.on(&mut tx), &[post(1)]).await?;
    let error = sync_post(model.on(&mut tx), &posts(1..=2))
        .await
        .unwrap_err();
    tx.rollback().await?;
    let rows = log.recent(10).await?;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(row(&rows[0]), ("post", Mode::Sync, 2, [0; 4], 0, false));
    assert_eq!(rows[0].error, Some(error.to_string()));
    assert!(error.to_string().contains("not now"), "{error}");
    assert!(!rows[0].duration.is_zero());
    Ok(())
}

#[tokio::test]
async fn a_failure_on_a_pool_is_logged_next_to_the_batches_that_succeeded() -> anyhow::Result<()> {
    let (pool, log, model) = logged(3).await;
    refuse_post_2(&pool).await;
    sync_all_posts(model.on(&pool)).chunk(1).await.unwrap_err();
    let rows = log.recent(10).await?;
    let success: Vec<bool> = rows.iter().map(|row| row.success).collect();
    assert_eq!(success, [false, true]);
    Ok(())
}

/// Invalid documents do not make their batch a failure.
#[tokio::test]
async fn invalid_documents_are_counted_and_named() -> anyhow::Result<()> {
    let (pool, log, model) = logged(15).await;
    run(
        &pool,
        "ALTER TABLE tv_post ADD CHECK (data->>'title' = 'Post 3') NOT VALID",
    )
    .await;
    let report = sync_post(model.on(&pool), &posts(1..=3)).await?;
    assert_eq!(report.invalid.len(), 2);
    sync_post(model.on(&pool), &posts(4..=15)).await?;
    let rows = log.recent(10).await?;
    assert_eq!(
        row(&rows[1]),
        ("post", Mode::Sync, 3, [1, 0, 0, 0], 0, true)
    );
    assert_eq!((rows[1].invalid, rows[0].invalid), (2, 12));
    let text = rows[1].error.as_deref().expect("the reasons");
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.starts_with(&format!("document {} of", post(1))),
        "{text}"
    );
    let text = rows[0].error.as_deref().expect("the reasons");
    assert!(text.ends_with("\nand 2 more"), "{text}");
    Ok(())
}

/// The transaction holds the only connection of the log's pool.
#[tokio::test]
async fn logging_a_failure_on_the_pools_last_connection_does_not_wait_for_the_pool()
-> anyhow::Result<()> {
    let options = fraiseql_tests::database().await;
    let one = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await?;
    let (pool, log, model) = logged_on(one, 2, |log| log).await;
    refuse_post_2(&pool).await;
    let mut tx = pool.begin().await?;
    let keys = posts(1..=2);
    let sync = sync_post(model.on(&mut tx), &keys);
    tokio::time::timeout(Duration::from_secs(10), sync)
        .await
        .expect("it does not wait for the pool")
        .unwrap_err();
    tx.rollback().await?;
    sync_post(model.on(&pool), &[post(2)]).await.unwrap_err();
    let keys: Vec<(u64, bool)> = log
        .recent(10)
        .await?
        .iter()
        .map(|row| (row.keys, row.success))
        .collect();
    assert_eq!(keys, [(1, false), (2, false)]);
    Ok(())
}

/// The pool has an idle connection that the server has closed.
#[tokio::test]
async fn a_failure_is_logged_although_the_idle_connection_is_lost() -> anyhow::Result<()> {
    let options = fraiseql_tests::database().await;
    let two = PgPoolOptions::new()
        .max_connections(2)
        .connect_with(options)
        .await?;
    let (pool, log, model) = logged_on(two, 2, |log| log).await;
    refuse_post_2(&pool).await;
    let mut tx = pool.begin().await?;
    let mut other = pool.acquire().await?;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut *other)
        .await?;
    drop(other);
    while pool.num_idle() == 0 {
        tokio::task::yield_now().await;
    }
    let closed: bool = sqlx::query_scalar("SELECT pg_terminate_backend($1, 5000)")
        .bind(pid)
        .fetch_one(&mut *tx)
        .await?;
    assert!(closed);
    sync_post(model.on(&mut tx), &[post(2)]).await.unwrap_err();
    tx.rollback().await?;
    assert_eq!(log.recent(10).await?.len(), 1);
    Ok(())
}

/// The failing transaction has locked the log table itself. Its locks outlive the rollback to a
/// savepoint.
#[tokio::test]
async fn logging_gives_up_on_a_locked_table_after_a_short_time() -> anyhow::Result<()> {
    let (pool, log, model) = logged(2).await;
    refuse_post_2(&pool).await;
    let mut tx = pool.begin().await?;
    sqlx::query("LOCK TABLE sync_log").execute(&mut *tx).await?;
    let mut savepoint = tx.begin().await?;
    let keys = [post(2)];
    let sync = sync_post(model.on(&mut savepoint), &keys);
    let error = tokio::time::timeout(Duration::from_secs(20), sync)
        .await
        .expect("it gives up")
        .unwrap_err();
    assert!(error.to_string().contains("not now"), "{error}");
    savepoint.rollback().await?;
    tx.rollback().await?;
    assert!(log.recent(1).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_call_that_fails_outside_of_a_batch_is_logged_without_keys() -> anyhow::Result<()> {
    let (pool, log, model) = logged(1).await;
    run(&pool, "ALTER TABLE tb_post RENAME TO tb_gone").await;
    sync_all_posts(model.on(&pool)).await.unwrap_err();
    let busy = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(50))
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let held = busy.acquire().await?;
    sync_post(model.on(&busy), &[post(1)]).await.unwrap_err();
    drop(held);
    let rows = log.recent(10).await?;
    assert_eq!(rows.len(), 2);
    assert_eq!(row(&rows[0]), ("post", Mode::Sync, 0, [0; 4], 0, false));
    assert_eq!(row(&rows[1]), ("post", Mode::Full, 0, [0; 4], 0, false));
    let text = rows[1].error.as_deref().expect("it failed");
    assert!(text.starts_with("reading the keys of"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_log_that_cannot_be_written_fails_no_sync() -> anyhow::Result<()> {
    let (pool, log, _) = logged(2).await;
    let recorded = RecordedBatches::default();
    let model = ReadModel::builder()
        .view::<Post>()
        .sync_log(log)
        .observe(recorded.clone())
        .build()?;
    run(&pool, "DROP TABLE sync_log").await;
    sync_post(model.on(&pool), &[post(1)]).await?;
    let mut tx = pool.begin().await?;
    sqlx::query("UPDATE tb_post SET title = 'New' WHERE id = $1")
        .bind(post(1))
        .execute(&mut *tx)
        .await?;
    sync_post(model.on(&mut tx), &[post(1)]).await?;
    sync_post(model.on(&mut tx), &[post(2)]).await?;
    tx.commit().await?;
    assert_eq!(
        Post::find(&pool, post(1)).await?.map(|post| post.title),
        Some("New".to_owned())
    );
    let failed = "writing \"public\".\"sync_log\": error returned from database: \
                  relation \"public.sync_log\" does not exist";
    let expected = [
        "sync tv_post (1 keys, 0 retries) [1, 0, 0, 0]",
        failed,
        "sync tv_post (1 keys, 0 retries) [0, 1, 0, 0]",
        failed,
        "sync tv_post (1 keys, 0 retries) [1, 0, 0, 0]",
        failed,
    ];
    let actual = recorded.take();
    assert_eq!(actual.len(), expected.len(), "{actual:?}");
    for (actual, expected) in actual.iter().zip(expected) {
        assert!(actual.starts_with(expected), "{actual}");
    }
    // A failing sync keeps its own error.
    refuse_post_2(&pool).await;
    run(&pool, "DELETE FROM tv_post").await;
    let error = sync_post(model.on(&pool), &[post(2)]).await.unwrap_err();
    assert!(error.to_string().contains("not now"), "{error}");
    let recorded = recorded.take();
    assert_eq!(recorded.len(), 2, "{recorded:?}");
    assert!(recorded[1].starts_with(failed), "{recorded:?}");
    Ok(())
}
