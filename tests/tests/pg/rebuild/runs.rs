//! Tests that a rebuild brings every document to the shape of the struct, once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fraiseql_runtime::TView;
use fraiseql_runtime::rebuild::{RebuildOutcome, RebuildState};
use fraiseql_tests::{run, world};
use sqlx::postgres::PgPoolOptions;

use super::{deployed, new, old, rebuilt, status, words, wrong};

#[tokio::test]
async fn a_rebuild_updates_all_documents_and_the_next_has_nothing_to_do() -> anyhow::Result<()> {
    let pool = deployed(300).await;
    run(
        &pool,
        "DELETE FROM tb_post WHERE id = 7; INSERT INTO tb_post (id, title, author_id) VALUES (999, 'more', 1)",
    )
    .await;
    assert_eq!(status(&new(), &pool).await.state, RebuildState::Needed);
    let mut seen = Vec::new();
    let report = new()
        .rebuild(&pool)
        .chunk(100)
        .connections(2)
        .on_progress(|view, progress| {
            assert_eq!(view, new::Post::VIEW.table);
            seen.push(progress.report.total());
        })
        .await?;
    assert!(report.is_complete());
    let view = &report.views[0];
    assert_eq!(view.outcome, RebuildOutcome::Rebuilt);
    let done = &view.report;
    assert_eq!((done.inserted, done.updated, done.deleted), (1, 299, 1));
    assert_eq!(seen.last(), Some(&301));
    assert!(
        report
            .to_string()
            .starts_with("\"public\".\"tv_post\": rebuilt, 1 inserted, 299 updated, "),
        "{report}"
    );
    assert_eq!(wrong(&pool).await, 0);

    let now = status(&new(), &pool).await;
    assert_eq!((now.state, now.done), (RebuildState::Done, 301));
    assert_eq!(now.shape, new::Post::statements().shape);
    assert!(now.started_at <= now.finished_at && now.finished_at.is_some());
    assert_eq!(new().migrate(&pool).await?.stale, []);
    let again = new().rebuild(&pool).await?;
    assert_eq!(again.views[0].outcome, RebuildOutcome::UpToDate);
    assert_eq!(again.views[0].report.total(), 0);
    assert_eq!(again.to_string(), "\"public\".\"tv_post\": up to date");
    // The old release, if it stayed, would need it.
    let migration = old().migrate(&pool).await?;
    assert_eq!(migration.stale, [old::Post::VIEW.table]);
    assert!(
        migration.to_string().ends_with(
            "stale \"public\".\"tv_post\": its documents were built for another version of the struct; run ReadModel::rebuild"
        ),
        "{migration}"
    );
    Ok(())
}

#[tokio::test]
async fn documents_that_the_old_release_writes_later_are_found_by_the_next_rebuild()
-> anyhow::Result<()> {
    // More than one page is searched, and more than one chunk is found.
    let pool = deployed(12_000).await;
    new().rebuild(&pool).await?;
    let late: Vec<i64> = [1, 4_999, 5_000, 5_001, 11_111, 12_000]
        .into_iter()
        .chain(7_000..7_100)
        .collect();
    old::sync_post(&pool, &late).await?;
    assert_eq!(rebuilt(&pool).await, 12_000 - 106);
    let report = new().rebuild(&pool).chunk(30).connections(2).await?;
    let view = &report.views[0];
    assert_eq!(view.outcome, RebuildOutcome::Rebuilt);
    assert_eq!((view.report.updated, view.report.total()), (106, 106));
    assert_eq!(rebuilt(&pool).await, 12_000);
    assert_eq!(status(&new(), &pool).await.state, RebuildState::Done);
    Ok(())
}

#[tokio::test]
async fn going_back_to_the_old_release_rebuilds_from_the_start() -> anyhow::Result<()> {
    let pool = deployed(50).await;
    let stop = AtomicBool::new(false);
    let half = new()
        .rebuild(&pool)
        .chunk(10)
        .on_progress(|_, progress| stop.store(progress.chunks >= 2, Ordering::Relaxed))
        .until(std::future::poll_fn(|_| {
            if stop.load(Ordering::Relaxed) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        }))
        .await?;
    assert_eq!(half.views[0].outcome, RebuildOutcome::Stopped);
    assert!(!half.is_complete());
    assert_eq!(rebuilt(&pool).await, 20);
    let report = old().rebuild(&pool).await?;
    let done = &report.views[0].report;
    assert_eq!((done.updated, done.unchanged), (20, 30));
    assert_eq!(rebuilt(&pool).await, 0);
    assert_eq!(status(&new(), &pool).await.state, RebuildState::Needed);
    let report = new().rebuild(&pool).await?;
    assert_eq!(report.views[0].resumed_at, None);
    assert_eq!(report.views[0].report.updated, 50);
    Ok(())
}

/// The only connection and the lock are released.
#[tokio::test]
async fn a_rebuild_runs_on_a_pool_of_one_connection() -> anyhow::Result<()> {
    let pool = deployed(120).await;
    let one = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(20))
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let report = new().rebuild(&one).connections(4).chunk(50).await?;
    assert_eq!(report.views[0].report.updated, 120);
    let locks: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
        .fetch_one(&one)
        .await?;
    assert_eq!(locks, 0);
    Ok(())
}

#[tokio::test]
async fn an_empty_view_over_an_empty_table_needs_no_rebuild() -> anyhow::Result<()> {
    let pool = deployed(3).await;
    let empty = "DELETE FROM tb_post; TRUNCATE tv_post, fraiseql_view";
    run(&pool, empty).await;
    let status_now = status(&new(), &pool).await;
    assert_eq!(status_now.state, RebuildState::Done);
    let report = new().rebuild(&pool).await?;
    assert_eq!(report.views[0].outcome, RebuildOutcome::UpToDate);
    let insert = "INSERT INTO tb_post (id, title, author_id) VALUES (1, 'one', 1)";
    run(&pool, insert).await;
    new::sync_post(&pool, &[1]).await?;
    assert_eq!(new().migrate(&pool).await?.stale, [], "it was noted");

    run(&pool, empty).await;
    let migration = new().migrate(&pool).await?;
    fraiseql_tests::assert_up_to_date(&migration);
    assert_eq!(migration.unfilled, []);
    run(&pool, insert).await;
    new::sync_post(&pool, &[1]).await?;
    assert_eq!(new().migrate(&pool).await?.stale, [], "it was noted");
    Ok(())
}

#[tokio::test]
async fn a_view_table_of_an_older_version_gets_the_shape_column() -> anyhow::Result<()> {
    let pool = deployed(40).await;
    run(
        &pool,
        "ALTER TABLE tv_post DROP COLUMN shape; DROP TABLE fraiseql_view",
    )
    .await;
    let check = new().check(&pool).await?;
    assert!(
        check.to_string().contains("lacks the column shape"),
        "{check}"
    );
    let files: i64 = sqlx::query_scalar("SELECT pg_relation_filenode('tv_post')::int8")
        .fetch_one(&pool)
        .await?;
    let migration = new().migrate(&pool).await?;
    assert_eq!(
        migration.created,
        [
            r#"column "shape" of "public"."tv_post""#,
            r#"table "public"."fraiseql_view""#,
        ]
    );
    assert_eq!(migration.stale, [new::Post::VIEW.table]);
    let after: i64 = sqlx::query_scalar("SELECT pg_relation_filenode('tv_post')::int8")
        .fetch_one(&pool)
        .await?;
    assert_eq!(after, files, "the table is not rewritten");
    assert!(new::Post::find(&pool, 7).await?.is_some());
    let report = new().rebuild(&pool).await?;
    assert_eq!(report.views[0].report.updated, 40);
    assert_eq!(wrong(&pool).await, 0);
    Ok(())
}

#[tokio::test]
async fn text_keys_in_another_schema_are_rebuilt_and_resumed() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE SCHEMA app;
         CREATE TABLE app.word (word text PRIMARY KEY, meaning text);
         INSERT INTO app.word SELECT chr(97 + i % 26) || i FROM generate_series(1, 500) AS i;
         INSERT INTO app.word VALUES ('it''s'), ('\"x\"'), ('back\\slash'), ('ä'), ('Z'), ('')",
    )
    .await;
    let model = world::model::<words::Word>();
    let migration = model.migrate(&pool).await?;
    assert_eq!(
        migration.created[..2],
        [r#"table "app"."tv_word""#, r#"table "app"."fraiseql_view""#,]
    );
    words::sync_all_words(&pool).await?;
    run(
        &pool,
        "UPDATE app.tv_word SET shape = 1; TRUNCATE app.fraiseql_view",
    )
    .await;
    assert_eq!(
        words::Word::find_many(&pool, &["Z".to_owned(), "it's".to_owned(), String::new()])
            .await?
            .len(),
        3
    );
    let total = AtomicU64::new(0);
    for _ in 0..600 {
        let seen = AtomicU64::new(0);
        let report = model
            .rebuild(&pool)
            .chunk(7)
            .on_progress(|_, progress| seen.store(progress.chunks, Ordering::Relaxed))
            .until(std::future::poll_fn(|_| {
                if seen.load(Ordering::Relaxed) >= 1 {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            }))
            .await?;
        total.fetch_add(report.views[0].report.total(), Ordering::Relaxed);
        if report.is_complete() {
            break;
        }
    }
    assert_eq!(total.load(Ordering::Relaxed), 506, "each once, in 73 turns");
    let others: i64 = sqlx::query_scalar("SELECT count(*) FROM app.tv_word WHERE shape = 1")
        .fetch_one(&pool)
        .await?;
    assert_eq!(others, 0);
    Ok(())
}

#[tokio::test]
async fn documents_that_cannot_be_written_are_reported_and_stay() -> anyhow::Result<()> {
    let pool = deployed(10).await;
    run(&pool, "UPDATE tb_post SET score = 'NaN' WHERE id = 4").await;
    for outcome in [(9, 1), (0, 1)] {
        let report = new().rebuild(&pool).await?;
        let done = &report.views[0].report;
        assert_eq!((done.updated, done.invalid.len() as u64), outcome);
        assert!(report.is_complete());
    }
    assert!(old::Post::find(&pool, 4).await?.is_some());
    run(&pool, "UPDATE tb_post SET score = 4 WHERE id = 4").await;
    assert_eq!(new().rebuild(&pool).await?.views[0].report.updated, 1);
    assert_eq!(wrong(&pool).await, 0);
    Ok(())
}
