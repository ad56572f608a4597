//! Documents that are synced when a transaction commits, and what is left to the worker so that it can commit.

use std::time::{Duration, Instant};

use fraiseql_runtime::worker::Letters;
use fraiseql_runtime::{ReadModel, TView as _};
use fraiseql_tests::{pool_of, run};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use super::stress::assert_right;
use super::world::{Post, at_commit};

/// The title of a post's document.
async fn title(pool: &PgPool, post: i64) -> String {
    Post::find(pool, post).await.unwrap().unwrap().title
}

/// How many changes are left to a worker.
async fn left(pool: &PgPool, model: &ReadModel) -> u64 {
    model.changes(pool).await.unwrap().pending
}

#[tokio::test]
async fn documents_are_right_when_any_transaction_has_committed() {
    let (pool, model) = at_commit(20).await;
    let mut tx = pool.begin().await.unwrap();
    for (sql, after) in [
        ("UPDATE tb_post SET title = 'first' WHERE id = 7", "before"),
        ("SAVEPOINT s", "before"),
        (
            "UPDATE tb_post SET title = 'undone' WHERE id IN (7, 8)",
            "before",
        ),
        ("ROLLBACK TO s", "before"),
        ("DELETE FROM tb_post_tag", "before"),
    ] {
        sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap();
        assert_ne!(title(&pool, 7).await, "first", "{after} the commit");
    }
    tx.commit().await.unwrap();
    assert_eq!(title(&pool, 7).await, "first");
    assert!(Post::find(&pool, 9).await.unwrap().unwrap().tags.is_empty());
    assert_eq!(left(&pool, &model).await, 0);
    assert_right(&pool, &model).await;
}

#[tokio::test]
async fn a_constraint_that_is_set_immediate_syncs_what_was_changed_until_then() {
    let (pool, model) = at_commit(20).await;
    let mut tx = pool.begin().await.unwrap();
    sqlx::raw_sql(
        "UPDATE tb_post SET title = 'one' WHERE id = 1; SET CONSTRAINTS ALL IMMEDIATE;
         UPDATE tb_post SET title = 'two' WHERE id = 2",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    let titles: Vec<String> =
        sqlx::query_scalar("SELECT data->>'title' FROM tv_post WHERE id <= 2 ORDER BY id")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
    assert_eq!(titles, ["one", "two"]);
    tx.commit().await.unwrap();
    assert_eq!(left(&pool, &model).await, 0);
    assert_right(&pool, &model).await;
}

/// Whoever commits does not wait for long, and does not fail, whatever ends the wait.
#[tokio::test]
async fn a_document_that_cannot_be_locked_is_left_and_the_transaction_commits() {
    let (pool, model) = at_commit(20).await;
    let other = pool_of((*pool.connect_options()).clone()).await;
    let settings = [
        "lock_timeout = 0",
        "lock_timeout = '20ms'",
        "statement_timeout = '150ms'",
        // The deadlock detector runs before the wait ends.
        "deadlock_timeout = '50ms'",
    ];
    for (index, setting) in settings.into_iter().enumerate() {
        let mut holder = other.begin().await.unwrap();
        sqlx::query("SELECT FROM tv_post WHERE id = 5 FOR UPDATE")
            .execute(&mut *holder)
            .await
            .unwrap();
        let mut writer = PgConnection::connect_with(&pool.connect_options())
            .await
            .unwrap();
        let start = Instant::now();
        // One statement, whose time contains the commit.
        for sql in [
            format!("SET {setting}"),
            format!("UPDATE tb_post SET title = 'new {index}' WHERE id = 5"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(&*sql))
                .execute(&mut writer)
                .await
                .unwrap_or_else(|error| panic!("{setting}: {error}"));
        }
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{setting}: {:?}",
            start.elapsed()
        );
        let written: String = sqlx::query_scalar("SELECT title FROM tb_post WHERE id = 5")
            .fetch_one(&mut writer)
            .await
            .unwrap();
        assert_eq!(written, format!("new {index}"), "{setting}");
        assert!(left(&pool, &model).await > 0, "{setting}");
        holder.rollback().await.unwrap();
        model.worker(&pool).drain().await.unwrap();
        assert_eq!(title(&pool, 5).await, written, "{setting}");
    }
    assert_right(&pool, &model).await;
}

/// A transaction that has a document and wants another one, which waits for the first in its commit.
#[tokio::test]
async fn a_commit_ends_no_other_transaction_by_a_deadlock() {
    let (pool, model) = at_commit(20).await;
    let other = pool_of((*pool.connect_options()).clone()).await;
    for round in 0..5 {
        let mut holder = other.begin().await.unwrap();
        sqlx::query("SELECT FROM tv_post WHERE id = 9 FOR UPDATE")
            .execute(&mut *holder)
            .await
            .unwrap();
        let writer = pool.clone();
        // It locks the documents in their order, and waits for the last one.
        let writing = tokio::spawn(async move {
            sqlx::query("UPDATE tb_post SET title = $1 WHERE id IN (3, 9)")
                .bind(round.to_string())
                .execute(&writer)
                .await
        });
        fraiseql_tests::world::wait_for_a_lock(&other).await;
        sqlx::query("SELECT FROM tv_post WHERE id = 3 FOR UPDATE")
            .execute(&mut *holder)
            .await
            .expect("the other transaction is not the victim");
        holder.commit().await.unwrap();
        writing.await.unwrap().expect("nor is the one that commits");
        model.worker(&pool).drain().await.unwrap();
        assert_eq!(title(&pool, 3).await, round.to_string());
    }
    assert_right(&pool, &model).await;
}

#[tokio::test]
async fn an_invalid_document_is_left_and_all_others_are_right() {
    let (pool, model) = at_commit(20).await;
    run(
        &pool,
        "ALTER TABLE tb_post ALTER title DROP NOT NULL;
         UPDATE tb_post SET title = CASE id WHEN 4 THEN NULL ELSE 'new' END WHERE id IN (3, 4, 5)",
    )
    .await;
    let worker = model.worker(&pool).max_attempts(1);
    let report = worker.drain().await.unwrap();
    assert_eq!(report.dead, 1, "{report}");
    for post in [3, 5] {
        assert_eq!(title(&pool, post).await, "new");
    }
    let dead = model.dead_letters(&pool).await.unwrap();
    assert_eq!((dead.len(), dead[0].entity), (1, "post"), "{dead:?}");
    run(&pool, "UPDATE tb_post SET title = 'mended' WHERE id = 4").await;
    assert_eq!(title(&pool, 4).await, "mended");
    // A commit does not look for letters.
    assert_eq!(model.retry(&pool, Letters::all()).await.unwrap(), 1);
    model.worker(&pool).drain().await.unwrap();
    assert_right(&pool, &model).await;
}

/// A snapshot that is older than the locks would build documents without what others have committed meanwhile.
#[tokio::test]
async fn a_transaction_with_one_snapshot_leaves_its_documents() {
    let (pool, model) = at_commit(20).await;
    for (level, number) in [("REPEATABLE READ", 1_u64), ("SERIALIZABLE", 2)] {
        let sql = format!(
            "BEGIN ISOLATION LEVEL {level}; UPDATE tb_post SET title = '{level}' WHERE id = 2; COMMIT"
        );
        sqlx::raw_sql(AssertSqlSafe(&*sql))
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(left(&pool, &model).await, number);
    }
    model.worker(&pool).drain().await.unwrap();
    assert_eq!(title(&pool, 2).await, "SERIALIZABLE");
    assert_right(&pool, &model).await;
}

/// More documents than a commit should wait for.
#[tokio::test]
async fn many_documents_are_left() {
    let (pool, model) = at_commit(6_000).await;
    run(
        &pool,
        "UPDATE tb_post SET title = title || '.' WHERE id <= 4000",
    )
    .await;
    assert_eq!(left(&pool, &model).await, 0);
    run(&pool, "UPDATE tb_post SET title = title || '.'").await;
    assert_eq!(left(&pool, &model).await, 1);
    let report = model.worker(&pool).drain().await.unwrap();
    assert_eq!(report.updated, 6_000, "{report}");
    assert_right(&pool, &model).await;
}

/// Clients of a pool of few connections, which change the same rows: each finds its own change.
#[tokio::test]
async fn hot_documents_are_right_after_every_commit() {
    let (pool, model) = at_commit(20).await;
    let options = (*pool.connect_options()).clone();
    let clients = (0..6_i64).map(|client| {
        let options = options.clone();
        tokio::spawn(async move {
            let pool = PgPoolOptions::new()
                .max_connections(2)
                .connect_with(options)
                .await
                .unwrap();
            let mut left_out = 0;
            for round in 0..60_i64 {
                let comment = 100_000 + client * 1_000 + round;
                sqlx::query("INSERT INTO tb_comment VALUES ($1, 'hot', $2, 1 + $1 % 3)")
                    .bind(comment)
                    .bind(1 + round % 3)
                    .execute(&pool)
                    .await
                    .unwrap();
                let post = Post::find(&pool, 1 + round % 3).await.unwrap().unwrap();
                left_out += u32::from(post.comments.iter().all(|own| own.id != comment));
            }
            left_out
        })
    });
    let mut left_out = 0;
    for client in clients.collect::<Vec<_>>() {
        left_out += client.await.unwrap();
    }
    // On a slow machine a lock may take longer than a commit waits.
    assert!(left_out < 180, "{left_out} of 360 were left to a worker");
    model.worker(&pool).drain().await.unwrap();
    assert_right(&pool, &model).await;
}
