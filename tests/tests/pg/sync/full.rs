//! Tests that a full sync runs on several connections, reports progress, and resumes where it
//! stopped.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fraiseql_runtime::sync::{Position, Progress};
use fraiseql_runtime::{Error, ReadModel, TView};
use fraiseql_tests::run;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

#[derive(Debug, TView)]
#[tview(table = "note")]
#[allow(dead_code)]
struct Note {
    id: i64,
    text: String,
}

#[derive(Debug, TView)]
#[tview(table = "word")]
#[allow(dead_code)]
struct Word {
    #[tview(key)]
    word: String,
}

/// 3,000 notes, every third with a drifted document, and orphaned documents.
async fn notes() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE note (id int8 PRIMARY KEY, text text NOT NULL);
         INSERT INTO note SELECT i, 'note ' || i FROM generate_series(1, 3000) AS i;
         CREATE TABLE word (word text PRIMARY KEY);
         INSERT INTO word SELECT chr(97 + i % 26) || i FROM generate_series(1, 200) AS i",
    )
    .await;
    let model = ReadModel::builder()
        .view::<Note>()
        .view::<Word>()
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    run(
        &pool,
        "INSERT INTO tv_note SELECT i, '{}', 1, '3', now() FROM generate_series(3, 3300, 3) AS i",
    )
    .await;
    pool
}

async fn wrong(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM note FULL JOIN tv_note USING (id)
         WHERE tv_note.data IS DISTINCT FROM jsonb_build_object('id', id, 'text', note.text)",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn several_connections_sync_every_document_once() -> anyhow::Result<()> {
    let pool = notes().await;
    let report = sync_all_notes(&pool).connections(3).chunk(70).await?;
    assert_eq!(
        (
            report.inserted,
            report.updated,
            report.deleted,
            report.unchanged
        ),
        (2000, 1000, 100, 0)
    );
    assert_eq!(report.stopped_at, None);
    assert_eq!(wrong(&pool).await, 0);
    assert_eq!(sync_all_notes(&pool).connections(2).await?.unchanged, 3000);
    Ok(())
}

#[tokio::test]
async fn a_full_sync_continues_without_connections_that_it_cannot_get() -> anyhow::Result<()> {
    let pool = notes().await;
    let small = PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(Duration::from_millis(300))
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let held = small.acquire().await?;
    // Held until the other worker knows that no connection is free for it.
    let report = sync_all_notes(&small)
        .connections(8)
        .chunk(100)
        .on_progress(|_| std::thread::sleep(Duration::from_millis(20)))
        .await?;
    assert_eq!(report.changed(), 3100);
    assert!(report.duration > Duration::from_millis(600));
    drop(held);
    Ok(())
}

#[tokio::test]
async fn a_full_sync_in_a_transaction_uses_one_connection_and_can_be_rolled_back()
-> anyhow::Result<()> {
    let pool = notes().await;
    let before = wrong(&pool).await;
    let mut transaction = pool.begin().await?;
    let report = sync_all_notes(&mut transaction).connections(4).await?;
    assert_eq!(report.changed(), 3100);
    transaction.rollback().await?;
    assert_eq!(wrong(&pool).await, before);
    Ok(())
}

#[tokio::test]
async fn a_stopped_sync_reports_its_position_and_resumes_there() -> anyhow::Result<()> {
    let pool = notes().await;
    let chunks = AtomicU64::new(0);
    let report = sync_all_notes(&pool)
        .chunk(100)
        .connections(2)
        .on_progress(|progress| chunks.store(progress.chunks, Ordering::Relaxed))
        .until(std::future::poll_fn(|_| {
            if chunks.load(Ordering::Relaxed) >= 7 {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        }))
        .await?;
    // Of two workers, the other may be one chunk ahead.
    let done = report.total();
    assert!((700..=800).contains(&done), "{report}");
    let position = report.stopped_at.expect("it was stopped");

    // As it would be stored for another process.
    let stored = serde_json::to_string(&position)?;
    let position: Position = serde_json::from_str(&stored)?;
    assert_eq!(position.to_string(), done.to_string());
    let mut first = None;
    let rest = sync_all_notes(&pool)
        .resume(position)
        .chunk(100)
        .on_progress(|progress| {
            first.get_or_insert(progress.clone());
        })
        .await?;
    assert_eq!(rest.total(), 3100 - done);
    assert_eq!(rest.stopped_at, None);
    assert_eq!(wrong(&pool).await, 0);
    assert_eq!(first.map(|progress| progress.expected), Some(3000 - done));
    Ok(())
}

#[tokio::test]
async fn a_completed_stop_signal_stops_all_connections() -> anyhow::Result<()> {
    let pool = notes().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut stop = Some(stop);
    let report = sync_all_notes(&pool)
        .chunk(10)
        .connections(4)
        .on_progress(|progress| {
            if progress.chunks == 5 {
                drop(stop.take());
            }
        })
        .until(async { drop(stopped.await) })
        .await?;
    assert!((50..=80).contains(&report.total()), "{report}");
    let position = report.stopped_at.expect("it was stopped");
    sync_all_notes(&pool).resume(position).await?;
    assert_eq!(wrong(&pool).await, 0);
    Ok(())
}

#[tokio::test]
async fn a_sync_that_is_stopped_before_it_begins_writes_nothing() -> anyhow::Result<()> {
    let pool = notes().await;
    let report = sync_all_notes(&pool).until(std::future::ready(())).await?;
    assert_eq!(report.total(), 0);
    let position = report.stopped_at.expect("it was stopped");
    assert_eq!(position.to_string(), "the start");
    assert_eq!(sync_all_notes(&pool).resume(position).await?.total(), 3100);
    Ok(())
}

#[tokio::test]
async fn a_position_of_another_view_is_refused() -> anyhow::Result<()> {
    let pool = notes().await;
    let report = sync_all_words(&pool).until(std::future::ready(())).await?;
    let position = report.stopped_at.expect("it was stopped");
    let error = sync_all_notes(&pool).resume(position).await.unwrap_err();
    assert!(matches!(error, Error::Position { .. }));
    assert_eq!(
        error.to_string(),
        "the start is not a position of \"public\".\"tv_note\": its keys are of another type"
    );
    Ok(())
}

#[tokio::test]
async fn text_keys_are_synced_completely_in_any_collation() -> anyhow::Result<()> {
    let pool = notes().await;
    run(
        &pool,
        "INSERT INTO word VALUES ('Zebra'), ('_x'), ('ä'), ('A1'), ('a 1'), ('')",
    )
    .await;
    let report = sync_all_words(&pool).chunk(7).connections(2).await?;
    assert_eq!(report.inserted, 206);
    Ok(())
}

#[tokio::test]
async fn progress_has_a_rate_and_an_estimate() -> anyhow::Result<()> {
    let pool = notes().await;
    run(&pool, "ANALYZE note").await;
    let mut seen: Vec<Progress> = Vec::new();
    sync_all_notes(&pool)
        .chunk(1000)
        .on_progress(|progress| seen.push(progress.clone()))
        .await?;
    let totals: Vec<u64> = seen
        .iter()
        .map(|progress| progress.report.total())
        .collect();
    assert_eq!(totals, [1000, 2000, 3000, 3100]);
    assert!(seen.iter().all(|progress| progress.expected == 3000));
    assert!(seen[0].rate() > 0.0);
    let left = seen[0].remaining().expect("there is a rate");
    assert!(left > seen[0].report.duration, "two thirds are left");
    assert_eq!(seen[3].remaining(), Some(Duration::ZERO));
    let line = seen[0].to_string();
    assert!(
        line.starts_with("1000 of 3000, ") && line.ends_with(" left"),
        "{line}"
    );
    Ok(())
}

#[tokio::test]
async fn large_documents_are_written_in_small_chunks() -> anyhow::Result<()> {
    let pool = notes().await;
    let chunks = async |pool: &PgPool| {
        let mut chunks = Vec::new();
        let mut before = 0;
        sync_all_notes(pool)
            .on_progress(|progress| {
                chunks.push(progress.report.total() - before);
                before = progress.report.total();
            })
            .await
            .map(|_| chunks)
    };
    // The first chunk is small, because the size of documents is unknown; then the largest allowed.
    assert_eq!(chunks(&pool).await?, [50, 1000, 1000, 1000, 50]);
    run(
        &pool,
        "UPDATE note SET text = repeat('x', 100000); DELETE FROM note WHERE id > 100",
    )
    .await;
    let heavy = chunks(&pool).await?;
    assert_eq!(
        &heavy[..4],
        [50, 14, 14, 14],
        "of 100 kB each, 1.5 MB at once"
    );
    Ok(())
}

/// They have no bytes: if they were counted, the others would seem smaller than they are.
#[tokio::test]
async fn deleted_and_invalid_documents_do_not_make_chunks_larger() -> anyhow::Result<()> {
    let pool = notes().await;
    run(
        &pool,
        "TRUNCATE tv_note; DELETE FROM note WHERE id > 130;
         INSERT INTO tv_note SELECT i, '{}', 1, '3', now() FROM generate_series(1, 25) AS i;
         DELETE FROM note WHERE id <= 25;
         ALTER TABLE note ALTER COLUMN text DROP NOT NULL;
         UPDATE note SET text = CASE WHEN id > 50 THEN repeat('x', 100000) END",
    )
    .await;
    let mut chunks = Vec::new();
    let mut before = 0;
    let report = sync_all_notes(&pool)
        .on_progress(|progress| {
            chunks.push(progress.report.total() - before);
            before = progress.report.total();
        })
        .await?;
    assert_eq!((report.deleted, report.invalid.len()), (25, 25));
    assert_eq!(chunks, [50, 50, 14, 14, 2]);
    Ok(())
}

#[tokio::test]
async fn a_lost_connection_is_replaced_and_its_chunk_is_run_again() -> anyhow::Result<()> {
    let pool = notes().await;
    // The second and the fifth statement terminate their own connection. A sequence counts them,
    // because it is not rolled back.
    run(
        &pool,
        "CREATE SEQUENCE statements;
         CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('statements') IN (2, 5) THEN
                 PERFORM pg_terminate_backend(pg_backend_pid());
                 PERFORM pg_sleep(10);
             END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER lose AFTER INSERT ON tv_note FOR EACH STATEMENT EXECUTE FUNCTION lose()",
    )
    .await;
    let report = sync_all_notes(&pool).chunk(500).connections(2).await?;
    assert_eq!(report.total(), 3100);
    assert_eq!(wrong(&pool).await, 0);
    let statements: i64 = sqlx::query_scalar("SELECT last_value FROM statements")
        .fetch_one(&pool)
        .await?;
    // The transaction of a lost chunk may still be open when the chunk is run again; then the
    // documents that it has touched are written once more.
    assert!(
        (7 + 2..=7 + 2 + 2).contains(&statements),
        "seven chunks, two of them twice, and the documents that these may have left marked: \
         {statements}"
    );
    Ok(())
}

#[tokio::test]
async fn a_connection_that_is_lost_repeatedly_is_an_error() -> anyhow::Result<()> {
    let pool = notes().await;
    run(
        &pool,
        "CREATE SEQUENCE statements;
         CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('statements') <= 10 THEN
                 PERFORM pg_terminate_backend(pg_backend_pid());
                 PERFORM pg_sleep(10);
             END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER lose AFTER INSERT ON tv_note FOR EACH STATEMENT EXECUTE FUNCTION lose()",
    )
    .await;
    let error = sync_all_notes(&pool).connections(1).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    let statements: i64 = sqlx::query_scalar("SELECT last_value FROM statements")
        .fetch_one(&pool)
        .await?;
    assert_eq!(statements, 1 + 3, "on three further connections");
    Ok(())
}

/// Not an empty report, which would look like an empty table.
#[tokio::test]
async fn a_pool_without_a_free_connection_is_an_error() -> anyhow::Result<()> {
    let pool = notes().await;
    let small = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(100))
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let held = small.acquire().await?;
    let error = sync_all_notes(&small).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("acquiring a connection to sync: "),
        "{error}"
    );
    drop(held);
    assert_eq!(sync_all_notes(&small).await?.changed(), 3100);
    Ok(())
}

#[tokio::test]
async fn text_keys_of_another_collation_are_synced() -> anyhow::Result<()> {
    let pool = notes().await;
    run(
        &pool,
        "ALTER TABLE word ALTER COLUMN word TYPE text COLLATE \"C\";
         INSERT INTO word VALUES ('Zebra'), ('_x'), ('ä'), ('A1'), ('a 1'), ('')",
    )
    .await;
    let report = sync_all_words(&pool).chunk(7).connections(2).await?;
    assert_eq!(report.inserted, 206);
    Ok(())
}
