//! Tests that each batch is a row of the log, whether it succeeds or fails, and old rows are deleted.

use std::time::{Duration, SystemTime};

use fraiseql_runtime::sync::{LogEntry, Mode};
use fraiseql_runtime::{Error, ReadModel, SyncLog, TView};
use fraiseql_tests::run;
use fraiseql_tests::world::blog::{
    Post, delete_post, logged, logged_on, post, posts, refuse_post_2, sync_all_posts, sync_post,
};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgPool};

use super::Told;

/// A row without what differs from run to run.
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
        assert!(row.at >= begin && row.at <= SystemTime::now() + Duration::from_secs(1));
        assert_eq!(row.error, None);
    }
    // Without the read model nothing is logged.
    sync_post(&pool, &[post(1)]).await?;
    assert_eq!(log.recent(10).await?.len(), 5);
    Ok(())
}

#[tokio::test]
async fn a_long_list_is_a_row_for_each_500_keys() -> anyhow::Result<()> {
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
    // One that was begun by hand, too.
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
    sync_post(model.on(&mut connection), &[post(1)]).await?;
    sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await?;
    assert_eq!(log.recent(10).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_failure_is_logged_though_its_transaction_is_rolled_back() -> anyhow::Result<()> {
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
async fn a_failure_on_a_pool_is_logged_beside_what_succeeded() -> anyhow::Result<()> {
    let (pool, log, model) = logged(3).await;
    refuse_post_2(&pool).await;
    sync_all_posts(model.on(&pool)).chunk(1).await.unwrap_err();
    let rows = log.recent(10).await?;
    let success: Vec<bool> = rows.iter().map(|row| row.success).collect();
    assert_eq!(success, [false, true]);
    Ok(())
}

/// Documents that cannot be written are no failure of their batch.
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
async fn a_failure_in_the_last_connection_of_the_pool_does_not_wait_for_itself()
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

/// The pool has an idle connection, which the server has closed.
#[tokio::test]
async fn a_failure_is_logged_though_the_idle_connection_is_lost() -> anyhow::Result<()> {
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

/// The transaction that fails has locked the log itself. Its locks outlive the failure of a
/// savepoint.
#[tokio::test]
async fn a_locked_log_is_not_waited_for_for_long() -> anyhow::Result<()> {
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
async fn a_call_that_fails_outside_of_a_batch_is_logged_with_no_keys() -> anyhow::Result<()> {
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
    let told = Told::default();
    let model = ReadModel::builder()
        .view::<Post>()
        .sync_log(log)
        .observe(told.clone())
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
    let actual = told.take();
    assert_eq!(actual.len(), expected.len(), "{actual:?}");
    for (actual, expected) in actual.iter().zip(expected) {
        assert!(actual.starts_with(expected), "{actual}");
    }
    // A failure keeps its own error.
    refuse_post_2(&pool).await;
    run(&pool, "DELETE FROM tv_post").await;
    let error = sync_post(model.on(&pool), &[post(2)]).await.unwrap_err();
    assert!(error.to_string().contains("not now"), "{error}");
    let told = told.take();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with(failed), "{told:?}");
    Ok(())
}

#[tokio::test]
async fn the_log_is_switched_while_the_application_runs() -> anyhow::Result<()> {
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

async fn add_old_rows(pool: &PgPool, count: i32) {
    sqlx::query(
        "INSERT INTO sync_log (at, entity, mode, keys, inserted, updated, unchanged, deleted,
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
async fn old_rows_are_deleted_in_small_batches_and_once_an_hour() -> anyhow::Result<()> {
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

/// A log that keeps little never deletes inside the caller's transaction.
#[tokio::test]
async fn old_rows_are_not_deleted_in_the_callers_transaction() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    let (pool, _, model) = logged_on(pool, 1, |log| log.keep(Duration::from_secs(3600))).await;
    add_old_rows(&pool, 3).await;
    let mut tx = pool.begin().await?;
    // An idle connection, so that there is one to prune with.
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
async fn the_table_has_the_name_it_was_given() -> anyhow::Result<()> {
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
async fn the_tables_columns_are_as_described() -> anyhow::Result<()> {
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
        "id bigint, at timestamp with time zone, entity text, mode text, keys bigint, \
         inserted bigint, updated bigint, unchanged bigint, deleted bigint, invalid bigint, duration interval, \
         retries integer, success boolean, error text"
    );
    let index: String = sqlx::query_scalar(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'sync_log' AND indexname LIKE '%at_idx'",
    )
    .fetch_one(&pool)
    .await?;
    assert!(index.ends_with("btree (at)"), "{index}");
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
