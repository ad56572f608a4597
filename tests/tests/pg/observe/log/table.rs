//! Tests of the log's table: its name, its columns, and the deletion of old rows.

use std::time::Duration;

use fraiseql_runtime::{Error, ReadModel, SyncLog};
use fraiseql_tests::run;
use fraiseql_tests::world::blog::{logged, logged_on, post, sync_post};
use sqlx::PgPool;

async fn add_old_rows(pool: &PgPool, count: i32) {
    sqlx::query(
        "INSERT INTO sync_log (created_at, entity, mode, keys, inserted, updated, unchanged, deleted,
                               invalid, duration, retries, success)
         SELECT now() - interval '2 days', 'old', 'sync', 1, 1, 0, 0, 0, 0, interval '1 ms', 0, true
         FROM generate_series(1, $1)",
    )
    .bind(count)
    .execute(pool)
    .await
    .unwrap();
}

async fn old_rows(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM sync_log WHERE entity = 'old'")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn old_rows_are_deleted_in_small_batches_at_most_once_an_hour() -> anyhow::Result<()> {
    let day = Duration::from_secs(24 * 3600);
    let pool = fraiseql_tests::pool().await;
    let (pool, log, model) = logged_on(pool, 1, |log| log.keep(day)).await;
    add_old_rows(&pool, 2_500).await;
    let mut left = Vec::new();
    for _ in 0..3 {
        sync_post(model.on(&pool), &[post(1)]).await?;
        left.push(old_rows(&pool).await);
    }
    assert_eq!(left, [1_500, 500, 0]);
    add_old_rows(&pool, 2_500).await;
    sync_post(model.on(&pool), &[post(1)]).await?;
    assert_eq!(old_rows(&pool).await, 2_500, "it was done in this hour");
    assert_eq!(log.prune().await?, 2_500);
    assert_eq!(log.prune().await?, 0);
    assert_eq!(log.recent(10).await?.len(), 4, "new rows stay");
    let for_ever = SyncLog::new(pool.clone());
    add_old_rows(&pool, 1).await;
    assert_eq!(for_ever.prune().await?, 0);
    assert_eq!(for_ever.keep(Duration::MAX).prune().await?, 0);
    Ok(())
}

/// Old rows are due for deletion, but never inside the caller's transaction.
#[tokio::test]
async fn old_rows_are_not_deleted_in_the_callers_transaction() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    let (pool, _, model) = logged_on(pool, 1, |log| log.keep(Duration::from_secs(3600))).await;
    add_old_rows(&pool, 3).await;
    let mut tx = pool.begin().await?;
    // An idle connection, with which old rows could be deleted.
    drop(pool.acquire().await?);
    while pool.num_idle() == 0 {
        tokio::task::yield_now().await;
    }
    sync_post(model.on(&mut tx), &[post(1)]).await?;
    tx.rollback().await?;
    assert_eq!(old_rows(&pool).await, 0);
    Ok(())
}

#[tokio::test]
async fn the_log_table_has_the_configured_name() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    run(&pool, "CREATE SCHEMA \"Ops\"").await;
    let (pool, log, model) = logged_on(pool, 1, |log| log.table("Ops.Log of \"syncs\"")).await;
    model.migrate(&pool).await?;
    sync_post(model.on(&pool), &[post(1)]).await?;
    let rows: i64 = sqlx::query_scalar(r#"SELECT count(*) FROM "Ops"."Log of ""syncs""" "#)
        .fetch_one(&pool)
        .await?;
    assert_eq!(rows, 1);
    assert_eq!(log.recent(10).await?.len(), 1);
    assert_eq!(log.ddl()?.len(), 2);
    for name in ["", "a.b.c", "ops."] {
        let log = SyncLog::new(pool.clone()).table(name);
        assert!(matches!(log.recent(1).await, Err(Error::LogName { .. })));
        let error = ReadModel::builder().sync_log(log).build().unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("`{name}` cannot be the table of a sync log")),
            "{text}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_log_table_has_the_documented_columns() -> anyhow::Result<()> {
    let (pool, _, model) = logged(1).await;
    model.migrate(&pool).await?;
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
         WHERE attrelid = 'public.sync_log'::regclass AND attnum > 0 ORDER BY attnum",
    )
    .fetch_all(&pool)
    .await?;
    let columns: Vec<String> = columns
        .iter()
        .map(|(name, ty)| format!("{name} {ty}"))
        .collect();
    assert_eq!(
        columns.join(", "),
        "id bigint, created_at timestamp with time zone, entity text, mode text, keys bigint, \
         inserted bigint, updated bigint, unchanged bigint, deleted bigint, invalid bigint, duration interval, \
         retries integer, success boolean, error text"
    );
    let index: String = sqlx::query_scalar(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'sync_log' AND indexname LIKE '%created_at_idx'",
    )
    .fetch_one(&pool)
    .await?;
    assert!(index.ends_with("btree (created_at)"), "{index}");
    sync_post(model.on(&pool), &[post(1)]).await?;
    let milliseconds: f64 =
        sqlx::query_scalar("SELECT (extract(epoch FROM duration) * 1000)::float8 FROM sync_log")
            .fetch_one(&pool)
            .await?;
    assert!(
        milliseconds > 0.0 && milliseconds < 60_000.0,
        "{milliseconds}"
    );
    Ok(())
}

#[tokio::test]
async fn a_log_of_the_first_version_gets_the_name_of_its_time() -> anyhow::Result<()> {
    let (pool, log, model) = logged(1).await;
    model.migrate(&pool).await?;
    run(&pool, "ALTER TABLE sync_log RENAME COLUMN created_at TO at").await;
    assert!(sync_post(model.on(&pool), &[post(1)]).await.is_ok());
    assert_eq!(
        model.migration_plan(&pool).await?,
        ["ALTER TABLE \"public\".\"sync_log\" RENAME COLUMN at TO created_at"]
    );
    let migration = model.migrate(&pool).await?;
    assert_eq!(
        migration.created,
        ["column \"created_at\" of \"public\".\"sync_log\""]
    );
    assert_eq!(log.recent(10).await?.len(), 1, "the row is still there");
    assert!(model.migration_plan(&pool).await?.is_empty());
    Ok(())
}
