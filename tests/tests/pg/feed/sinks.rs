//! Tests of sinks: copies of documents elsewhere.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fraiseql_runtime::ReadModel;
use fraiseql_runtime::feed::sink::{Sink, SinkDocument, SinkReport};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::PgPool;

use super::{Post, sync_post, world};

/// The other system. It keeps the greater version of each document.
#[derive(Clone, Default)]
struct Index(Arc<Mutex<Stored>>);

#[derive(Default)]
struct Stored {
    documents: BTreeMap<(&'static str, String), (u64, Option<String>)>,
    /// How many writes fail before one succeeds.
    failures: u32,
    writes: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("the index is not there")]
struct Unreachable;

impl Sink for Index {
    type Error = Unreachable;

    async fn write(&mut self, documents: &[SinkDocument]) -> Result<(), Unreachable> {
        let mut stored = self.0.lock().unwrap();
        if stored.failures > 0 {
            stored.failures -= 1;
            return Err(Unreachable);
        }
        assert!((1..=500).contains(&documents.len()));
        stored.writes += 1;
        for document in documents {
            let place = stored
                .documents
                .entry((document.view, document.key.clone()));
            let place = place.or_default();
            if place.0 <= document.version {
                *place = (document.version, document.text().map(str::to_owned));
            }
        }
        Ok(())
    }

    async fn remove_older(&mut self, view: &'static str, version: u64) -> Result<(), Unreachable> {
        let mut stored = self.0.lock().unwrap();
        let documents = &mut stored.documents;
        documents.retain(|(of, _), (written, _)| *of != view || *written >= version);
        Ok(())
    }
}

impl Index {
    /// The documents that it has.
    fn documents(&self) -> BTreeMap<(&'static str, String), String> {
        let stored = self.0.lock().unwrap();
        let documents = stored.documents.iter();
        let documents = documents.filter_map(|(key, (_, json))| Some((key.clone(), json.clone()?)));
        documents.collect()
    }
}

/// The documents that are stored.
async fn stored(pool: &PgPool) -> BTreeMap<(&'static str, String), String> {
    let sql = "SELECT 'post', id::text, data::text FROM tv_post
        UNION ALL SELECT 'ticket', jsonb_build_array(org_id, number)::text, data::text FROM tv_ticket";
    let rows: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(pool).await.unwrap();
    let view = |name: &str| if name == "post" { "post" } else { "ticket" };
    let rows = rows.into_iter();
    rows.map(|(name, key, json)| ((view(&name), key), json))
        .collect()
}

async fn drain(model: &ReadModel, pool: &PgPool, index: &Index) -> SinkReport {
    model
        .sink(pool, "index")
        .drain(index.clone())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_sink_has_all_documents_and_then_those_that_change() {
    let (pool, model) = world().await;
    let index = Index::default();
    let first = drain(&model, &pool, &index).await;
    assert_eq!((first.written, first.deleted, first.passes), (32, 0, 1));
    assert_eq!(index.documents(), stored(&pool).await);
    let nothing = drain(&model, &pool, &index).await;
    assert_eq!(nothing, SinkReport::default());

    fraiseql_tests::run(
        &pool,
        "UPDATE tb_post SET title = 'New' WHERE id < 4; DELETE FROM tb_post WHERE id = 9",
    )
    .await;
    sync_post(&pool, &[1, 2, 3, 9]).await.unwrap();
    let changed = drain(&model, &pool, &index).await;
    assert_eq!(
        (changed.written, changed.deleted, changed.passes),
        (3, 1, 0)
    );
    assert_eq!(index.documents(), stored(&pool).await);

    // All documents of a view at once.
    fraiseql_tests::run(&pool, "TRUNCATE tv_post").await;
    sync_post(&pool, &[5]).await.unwrap();
    assert_eq!(drain(&model, &pool, &index).await.passes, 1);
    assert_eq!(index.documents(), stored(&pool).await);

    // From the beginning, with what the index should not have.
    model.sink(&pool, "index").forget().await.unwrap();
    assert_eq!(drain(&model, &pool, &index).await.passes, 1);
    assert_eq!(index.documents(), stored(&pool).await);
}

#[tokio::test]
async fn a_pass_of_many_documents_is_made_in_pages() {
    let (pool, model) = world().await;
    fraiseql_tests::run(
        &pool,
        "INSERT INTO tb_post SELECT i, 'Post ' || i, 1 FROM generate_series(21, 1300) AS i",
    )
    .await;
    model.sync_all(&pool).await.unwrap();
    let index = Index::default();
    index.0.lock().unwrap().failures = 1;
    let error = model
        .sink(&pool, "index")
        .drain(index.clone())
        .await
        .unwrap_err();
    let text = format!("{:#}", anyhow::Error::new(error));
    assert!(
        text.contains("writing documents to a sink") && text.contains("the index is not there"),
        "{text}"
    );
    // It goes on with the pass that has begun.
    let report = drain(&model, &pool, &index).await;
    assert_eq!((report.written, report.passes), (1_312, 0));
    assert_eq!(index.0.lock().unwrap().writes, 4);
    assert_eq!(index.documents(), stored(&pool).await);
}

#[tokio::test]
async fn changes_are_kept_for_a_sink_that_does_not_run() {
    let (pool, model) = world().await;
    let index = Index::default();
    drain(&model, &pool, &index).await;
    let keep = Duration::from_millis(20);
    let feed = model.feed(&pool).keep(keep).start().await.unwrap();
    let _stream = feed.changes::<Post>();
    for round in 0..10_i64 {
        sqlx::query("UPDATE tb_post SET title = $2 WHERE id = $1")
            .bind(round + 1)
            .bind(round.to_string())
            .execute(&pool)
            .await
            .unwrap();
        sync_post(&pool, &[round + 1]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let report = drain(&model, &pool, &index).await;
    assert_eq!((report.written, report.passes), (10, 0));
    // Those that it has are deleted.
    tokio::time::sleep(Duration::from_millis(200)).await;
    drain(&model, &pool, &index).await;
    for _ in 0..10 {
        sync_post(&pool, &[1]).await.unwrap();
        fraiseql_tests::run(&pool, "UPDATE tv_post SET data = data WHERE id = 1").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(drain(&model, &pool, &index).await.passes, 0);
}

/// Without a feed, a sink deletes what it has and nobody else needs.
#[tokio::test]
async fn a_sink_deletes_old_changes_that_it_has() {
    let (pool, model) = world().await;
    let index = Index::default();
    drain(&model, &pool, &index).await;
    sync_post(&pool, &[1]).await.unwrap();
    fraiseql_tests::run(&pool, "UPDATE tv_post SET data = data WHERE id = 1").await;
    assert_eq!(drain(&model, &pool, &index).await.written, 1);
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        let sql = "SELECT count(*) FROM fraiseql_document_change";
        let left: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        if left == 0 {
            break;
        }
        // Transactions of other tests may hold them back.
        assert!(std::time::Instant::now() < deadline, "{left}");
        let sql = "UPDATE fraiseql_feed SET marked_at = now() - interval '1 h' WHERE name = ''";
        fraiseql_tests::run(&pool, sql).await;
        assert_eq!(drain(&model, &pool, &index).await, SinkReport::default());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A server that was restarted may have lost what a reader has seen.
#[tokio::test]
async fn after_a_restart_of_the_server_all_documents_are_passed() {
    let (pool, model) = world().await;
    let index = Index::default();
    drain(&model, &pool, &index).await;
    fraiseql_tests::run(
        &pool,
        "UPDATE fraiseql_feed SET server = 'another' WHERE name = 'sink index'",
    )
    .await;
    assert_eq!(drain(&model, &pool, &index).await.passes, 1);
    // And if changes were deleted that it has not seen.
    fraiseql_tests::run(
        &pool,
        "UPDATE fraiseql_feed SET pruned = '4' WHERE name = '';
         UPDATE fraiseql_feed SET position = '3:3:' WHERE name = 'sink index'",
    )
    .await;
    assert_eq!(drain(&model, &pool, &index).await.passes, 1);
    assert_eq!(drain(&model, &pool, &index).await.passes, 0);
}

/// Runners that are dropped in the middle, several at once, an index that fails, and writers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_random_interruptions_the_index_has_what_is_stored() {
    let (pool, model) = world().await;
    let index = Index::default();
    let writer = tokio::spawn({
        let pool = pool.clone();
        async move {
            let mut rng = SmallRng::seed_from_u64(1);
            for round in 0..400 {
                let id = rng.random_range(1..=40_i64);
                let sql = match rng.random_bool(0.3) {
                    true => "DELETE FROM tb_post WHERE id = $1 AND $2 <> ''",
                    false => {
                        "INSERT INTO tb_post VALUES ($1, $2, 1)
                         ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title"
                    }
                };
                let mut tx = pool.begin().await.unwrap();
                let query = sqlx::query(sql).bind(id).bind(round.to_string());
                query.execute(&mut *tx).await.unwrap();
                sync_post(&mut tx, &[id]).await.unwrap();
                tokio::time::sleep(Duration::from_micros(rng.random_range(0..9_000))).await;
                tx.commit().await.unwrap();
            }
        }
    });
    let mut rng = SmallRng::seed_from_u64(2);
    let mut interrupted = 0;
    while !writer.is_finished() {
        index.0.lock().unwrap().failures = u32::from(rng.random_bool(0.2));
        let runs = (0..2).map(|_| {
            let wait = Duration::from_millis(20);
            let runner = model.sink(&pool, "index").max_wait(wait);
            tokio::spawn(runner.run(index.clone(), std::future::pending()))
        });
        let runs: Vec<_> = runs.collect();
        tokio::time::sleep(Duration::from_millis(rng.random_range(1..120))).await;
        for run in runs {
            run.abort();
            interrupted += u32::from(run.await.is_err());
        }
        // As after the time for which a dead process holds a sink.
        let sql = "UPDATE fraiseql_feed SET held_until = now() - interval '1 s' WHERE name = 'sink index'";
        fraiseql_tests::run(&pool, sql).await;
    }
    writer.await.unwrap();
    index.0.lock().unwrap().failures = 0;
    drain(&model, &pool, &index).await;
    assert_eq!(index.documents(), stored(&pool).await);
    assert!(interrupted > 30, "{interrupted}");
}

/// Of two processes, one runs the sink, and the other one takes over when it ends.
#[tokio::test]
async fn one_process_runs_a_sink_and_another_takes_over() {
    let (pool, model) = world().await;
    let index = Index::default();
    let (stop, stopped) = futures_channel::oneshot::channel::<()>();
    let runner = model
        .sink(&pool, "index")
        .max_wait(Duration::from_millis(20));
    let first = tokio::spawn(runner.run(index.clone(), async move {
        let _ = stopped.await;
    }));
    while index.documents().len() < 32 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (end, ended) = futures_channel::oneshot::channel::<()>();
    let runner = model
        .sink(&pool, "index")
        .max_wait(Duration::from_millis(20));
    let second = tokio::spawn(runner.run(index.clone(), async move {
        let _ = ended.await;
    }));
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.send(()).unwrap();
    let first = first.await.unwrap().unwrap();
    assert_eq!((first.written, first.passes), (32, 1));
    fraiseql_tests::run(&pool, "UPDATE tb_post SET title = 'New' WHERE id = 7").await;
    sync_post(&pool, &[7]).await.unwrap();
    while index.documents() != stored(&pool).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    end.send(()).unwrap();
    let second = second.await.unwrap().unwrap();
    assert_eq!((second.written, second.passes), (1, 0));
}
