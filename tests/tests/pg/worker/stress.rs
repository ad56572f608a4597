//! Random statements of connections that know nothing of documents, while workers drain.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fraiseql_runtime::{Capture, ReadModel, TView as _};
use fraiseql_tests::pool_of;
use fraiseql_tests::world::worked::{create, model_with, statement};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use super::world::{Post, captured, next_model};

/// Runs random statements until `statements` of all writers have been run.
async fn write(pool: PgPool, seed: u64, done: Arc<AtomicU64>, statements: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let options = (*pool.connect_options()).clone();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    while done.fetch_add(1, Ordering::Relaxed) < statements {
        let sql = statement(|below| random.random_range(0..below));
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(&*sql))
            .execute(&mut connection)
            .await
        {
            // A foreign key that is violated is an error of the statement; a deadlock is between writers.
            let code = error.as_database_error().and_then(|error| error.code());
            assert!(
                matches!(code.as_deref(), Some("23503" | "40P01")),
                "{error}\n{sql}"
            );
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut connection).await;
        }
    }
}

pub(super) async fn storm(pool: &PgPool, writers: u64, statements: u64, seed: u64) {
    let done = Arc::new(AtomicU64::new(0));
    let writing = (0..writers).map(|writer| {
        tokio::spawn(write(
            pool.clone(),
            seed + writer,
            Arc::clone(&done),
            statements,
        ))
    });
    for writer in writing.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

pub(super) async fn assert_right(pool: &PgPool, model: &ReadModel) {
    let errors: Vec<String> = sqlx::query_scalar(
        "SELECT concat_ws(' ', c.\"table\", c.operation, c.new, c.error) FROM fraiseql_change AS c WHERE c.attempts > 0",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(errors, [""; 0]);
    let verified = model.verify(pool).sample(1.0).await.unwrap();
    assert!(verified.is_clean(), "{verified}");
    let changes = model.changes(pool).await.unwrap();
    assert_eq!((changes.pending, changes.dead), (0, 0), "{changes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_right_after_random_statements_and_two_workers() {
    let (pool, model) = captured(60).await;
    let over = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let over = Arc::clone(&over);
            let worker = model.worker(&pool);
            tokio::spawn(worker.run(async move {
                while !over.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }))
        })
        .collect();
    storm(&pool, 4, 4_000, 1).await;
    model.worker(&pool).drain().await.unwrap();
    over.store(true, Ordering::Relaxed);
    let mut changes = 0;
    for worker in workers {
        let report = worker.await.unwrap().unwrap();
        assert_eq!((report.failed, report.dead), (0, 0), "{report}");
        changes += report.changes;
    }
    assert!(changes > 1_000, "the workers drained {changes} changes");
    assert_right(&pool, &model).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_releases_side_by_side_drain_what_is_theirs() {
    let (pool, model) = captured(60).await;
    let next = next_model(Capture::Queue);
    next.migrate(&pool).await.unwrap();
    next.sync_all(&pool).await.unwrap();
    storm(&pool, 2, 1_000, 7).await;
    model.worker(&pool).drain().await.unwrap();
    assert_right(&pool, &model).await;
    let left = next.changes(&pool).await.unwrap();
    assert!(left.pending > 100, "{left}");
    next.worker(&pool).drain().await.unwrap();
    assert_right(&pool, &next).await;
    assert_right(&pool, &model).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_with_a_low_id_that_commits_late_is_not_missed() {
    let (pool, model) = captured(60).await;
    let over = Arc::new(AtomicBool::new(false));
    let running = {
        let over = Arc::clone(&over);
        tokio::spawn(model.worker(&pool).run(async move {
            while !over.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }))
    };
    let others = pool_of((*pool.connect_options()).clone()).await;
    for round in 0..40_i64 {
        // Each has its id before the others, and commits after they were drained.
        let mut late = Vec::new();
        for post in 1..=3_i64 {
            let mut tx = others.begin().await.unwrap();
            sqlx::query("UPDATE tb_post SET title = $1 WHERE id = $2")
                .bind(format!("late {round}"))
                .bind(post)
                .execute(&mut *tx)
                .await
                .unwrap();
            late.push(tx);
        }
        for post in 4..=14_i64 {
            sqlx::query("UPDATE tb_post SET title = $1 WHERE id = $2")
                .bind(format!("early {round}"))
                .bind(post)
                .execute(&pool)
                .await
                .unwrap();
        }
        let start = Instant::now();
        loop {
            let post = Post::find(&pool, 14).await.unwrap().unwrap();
            if post.title == format!("early {round}") {
                break;
            }
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "it was not drained"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        for tx in late {
            tx.commit().await.unwrap();
        }
    }
    model.worker(&pool).drain().await.unwrap();
    over.store(true, Ordering::Relaxed);
    running.await.unwrap().unwrap();
    assert_right(&pool, &model).await;
}

/// What cannot be synced when a transaction commits is left to a worker, and workers drain beside such commits.
#[tokio::test(flavor = "multi_thread")]
async fn documents_are_right_when_transactions_sync_at_their_commit_and_workers_drain_the_rest() {
    let pool = fraiseql_tests::pool().await;
    let model = model_with(Capture::AtCommit);
    create(&pool, &model, 60).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(model.worker(&pool).run(async { drop(stopped.await) }));
    storm(&pool, 4, 2_000, 99).await;
    sqlx::raw_sql("ALTER TABLE tv_post ADD CONSTRAINT poison CHECK (data->>'title' <> 'poison')")
        .execute(&pool)
        .await
        .unwrap();
    sqlx::raw_sql("UPDATE tb_post SET title = 'poison' WHERE id = (SELECT min(id) FROM tb_post)")
        .execute(&pool)
        .await
        .expect("a document that cannot be built fails nobody else's transaction");
    sqlx::raw_sql(
        "ALTER TABLE tv_post DROP CONSTRAINT poison; UPDATE fraiseql_change SET retry_at = now()",
    )
    .execute(&pool)
    .await
    .unwrap();
    model.worker(&pool).drain().await.unwrap();
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
    sqlx::raw_sql("UPDATE fraiseql_change SET retry_at = now() WHERE retry_at IS NOT NULL")
        .execute(&pool)
        .await
        .unwrap();
    model.worker(&pool).drain().await.unwrap();
    assert_right(&pool, &model).await;
}
