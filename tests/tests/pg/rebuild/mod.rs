//! Tests that two releases of a struct read and write the same tables, and that a rebuild updates
//! the documents meanwhile.

mod filled;
mod interrupted;
mod reads;
mod runs;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fraiseql_runtime::rebuild::{RebuildOutcome, RebuildReport, RebuildStatus};
use fraiseql_runtime::{ReadModel, TView};
use fraiseql_tests::world;
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

/// The current release of the application.
mod old {
    #[derive(Clone, Debug, PartialEq, fraiseql_runtime::TView)]
    pub(crate) struct Post {
        pub id: i64,
        pub title: String,
        #[tview(one(fk = "author_id"))]
        pub author: Author,
    }

    #[derive(Clone, Debug, PartialEq, fraiseql_runtime::Embed)]
    #[tview(table = "tb_user")]
    pub(crate) struct Author {
        pub id: i64,
        pub name: String,
    }
}

/// The next release: new fields, one of them promoted, and a renamed field of the part.
mod new {
    use chrono::{DateTime, Utc};

    #[derive(Clone, Debug, PartialEq, fraiseql_runtime::TView)]
    pub(crate) struct Post {
        pub id: i64,
        pub title: String,
        pub score: f64,
        #[tview(sort)]
        pub created_at: DateTime<Utc>,
        #[tview(one(fk = "author_id"))]
        pub author: Author,
    }

    #[derive(Clone, Debug, PartialEq, fraiseql_runtime::Embed)]
    #[tview(table = "tb_user")]
    pub(crate) struct Author {
        pub id: i64,
        #[tview(column = "name")]
        pub full_name: String,
    }
}

/// A view with text keys in a schema of its own.
mod words {
    #[derive(Debug, PartialEq, fraiseql_runtime::TView)]
    #[tview(table = "app.word", view = "app.tv_word")]
    pub(crate) struct Word {
        #[tview(key)]
        pub word: String,
        pub meaning: Option<String>,
    }
}

fn old() -> ReadModel {
    world::model::<old::Post>()
}

fn new() -> ReadModel {
    world::model::<new::Post>()
}

/// A database with this number of posts and the documents of the old release, migrated by the new
/// one.
async fn deployed(posts: i64) -> PgPool {
    let pool = world::numbered_blog()
        .column("tb_post", "score float8 NOT NULL DEFAULT 0.1")
        .column(
            "tb_post",
            "created_at timestamptz NOT NULL DEFAULT '2026-07-10 12:00:00+00'",
        )
        .rows(posts)
        .pool()
        .await;
    assert_eq!(old().migrate(&pool).await.unwrap().stale, []);
    old::sync_all_posts(&pool).await.unwrap();
    // What the new release wrote has its own shape.
    assert_eq!(old().migrate(&pool).await.unwrap().stale, []);
    let migration = new().migrate(&pool).await.unwrap();
    assert_eq!(migration.stale, [new::Post::VIEW.table]);
    pool
}

fn new_document(id: i64) -> Value {
    json!({
        "id": id,
        "title": format!("Post {id}"),
        "score": 0.1,
        "createdAt": "2026-07-10T12:00:00+00:00",
        "author": {"id": 1, "fullName": "Ada"},
    })
}

fn old_document(id: i64) -> Value {
    json!({
        "id": id,
        "title": format!("Post {id}"),
        "author": {"id": 1, "name": "Ada"},
    })
}

/// The number of documents that are stored in the shape of the new release.
async fn rebuilt(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tv_post WHERE shape = $1")
        .bind(new::Post::statements().shape)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// The number of documents that differ from what the new release would build now.
async fn wrong(pool: &PgPool) -> i64 {
    let query = fraiseql_runtime::sql::document::query(new::Post::VIEW);
    let sql = format!(
        "SELECT count(*) FROM ({query}) AS built
         FULL JOIN tv_post AS stored ON stored.id = built.key
         WHERE stored.data IS DISTINCT FROM built.data
            OR stored.created_at IS DISTINCT FROM built.created_at
            OR stored.shape IS DISTINCT FROM {}",
        new::Post::statements().shape
    );
    let mut connection = pool.acquire().await.unwrap();
    sqlx::raw_sql("SET TimeZone = 'UTC'")
        .execute(&mut *connection)
        .await
        .unwrap();
    let keys: Vec<i64> = sqlx::query_scalar("SELECT id FROM tb_post")
        .fetch_all(pool)
        .await
        .unwrap();
    sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(keys)
        .fetch_one(&mut *connection)
        .await
        .unwrap()
}

async fn status(model: &ReadModel, pool: &PgPool) -> RebuildStatus {
    model.rebuild_status(pool).await.unwrap().remove(0)
}

/// Repeats a query until it returns true.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait)
        .await
        .expect("it becomes so");
}

/// Rebuilds, once the server has noticed that the session of the previous rebuild is gone.
async fn rebuild_when_free(model: &ReadModel, pool: &PgPool, chunk: usize) -> RebuildReport {
    let mut report = None;
    until(async || {
        let done = model.rebuild(pool).chunk(chunk).await.unwrap();
        let is_done = done.views[0].outcome != RebuildOutcome::InProgress;
        report = Some(done);
        is_done
    })
    .await;
    report.unwrap()
}

/// Readers and writers of both releases run during the rebuild.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_releases_read_their_own_shape_during_writes_and_a_rebuild() -> anyhow::Result<()> {
    const POSTS: i64 = 3000;
    let pool = deployed(POSTS).await;
    let pool = PgPoolOptions::new()
        .max_connections(10)
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let over = Arc::new(AtomicBool::new(false));
    let (written, read) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..2_i64 {
        let (pool, over, written) = (pool.clone(), over.clone(), written.clone());
        tasks.spawn(async move {
            let mut turn = 0_i64;
            while !over.load(Ordering::Relaxed) {
                turn += 1;
                let id = (turn * 7919 + writer * 31) % POSTS + 1;
                let mut transaction = pool.begin().await?;
                sqlx::query("UPDATE tb_post SET title = $2, score = score + 1 WHERE id = $1")
                    .bind(id)
                    .bind(format!("turn {turn} of {writer}"))
                    .execute(&mut *transaction)
                    .await?;
                if turn % 2 == 0 {
                    transaction.commit().await?;
                    new::sync_post(&pool, &[id]).await?;
                } else {
                    old::sync_post(&mut transaction, &[id]).await?;
                    transaction.commit().await?;
                }
                written.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    for reader in 0..2_i64 {
        let (pool, over, read) = (pool.clone(), over.clone(), read.clone());
        tasks.spawn(async move {
            let keys_of = |json: &str| -> Vec<String> {
                let json: serde_json::Map<String, Value> = serde_json::from_str(json).unwrap();
                json.into_iter().map(|(key, _)| key).collect()
            };
            let mut turn = 0_i64;
            while !over.load(Ordering::Relaxed) {
                turn += 1;
                let id = (turn * 104_729) % POSTS + 1;
                if reader == 0 {
                    let json = old::Post::find_json(&pool, id).await?.expect("it stays");
                    assert_eq!(keys_of(json.get()), ["author", "id", "title"]);
                    let many = old::Post::find_many(&pool, &[id, 1, 2, POSTS]).await?;
                    assert_eq!(many.len(), 4);
                } else {
                    let json = new::Post::find_json(&pool, id).await?.expect("it stays");
                    assert_eq!(
                        keys_of(json.get()),
                        ["author", "createdAt", "id", "score", "title"]
                    );
                    let many = new::Post::find_many(&pool, &[id, 1, 2, POSTS]).await?;
                    assert_eq!(many.len(), 4);
                }
                read.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    until(async || written.load(Ordering::Relaxed) > 5 && read.load(Ordering::Relaxed) > 5).await;
    let before = (
        written.load(Ordering::Relaxed),
        read.load(Ordering::Relaxed),
    );
    let report = new().rebuild(&pool).chunk(20).connections(2).await?;
    assert!(report.is_complete());
    let during = (
        written.load(Ordering::Relaxed) - before.0,
        read.load(Ordering::Relaxed) - before.1,
    );
    over.store(true, Ordering::Relaxed);
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    assert!(during.0 > 10 && during.1 > 10, "{during:?}");
    // The old release has stopped.
    new().rebuild(&pool).await?;
    assert_eq!(wrong(&pool).await, 0);
    assert_eq!(rebuilt(&pool).await, POSTS);
    Ok(())
}
