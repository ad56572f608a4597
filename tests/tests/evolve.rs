//! A struct that changes while its documents are read and written: two releases of one
//! application on the same tables, and the rebuild that brings the documents up to date.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fraiseql_runtime::{
    Error, ReadModel, RebuildOutcome, RebuildReport, RebuildState, RebuildStatus, TView,
};
use fraiseql_tests::run;
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

/// The application as it runs.
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

/// Its next release: new fields, one of them promoted, and a field of the part has another name.
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
    ReadModel::builder().view::<old::Post>().build().unwrap()
}

fn new() -> ReadModel {
    ReadModel::builder().view::<new::Post>().build().unwrap()
}

/// A database with so many posts and the documents of the old release, migrated by the new one.
async fn deployed(posts: i64) -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
         CREATE TABLE tb_post (
             id int8 PRIMARY KEY,
             title text NOT NULL,
             score float8 NOT NULL DEFAULT 0.1,
             created_at timestamptz NOT NULL DEFAULT '2026-07-10 12:00:00+00',
             author_id int8 NOT NULL
         );
         INSERT INTO tb_user VALUES (1, 'Ada Lovelace')",
    )
    .await;
    sqlx::query("INSERT INTO tb_post (id, title, author_id) SELECT i, 'post ' || i, 1 FROM generate_series(1, $1) AS i")
        .bind(posts)
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(old().migrate(&pool).await.unwrap().stale, []);
    old::sync_all_posts(&pool).await.unwrap();
    // What it wrote itself is of its own shape.
    assert_eq!(old().migrate(&pool).await.unwrap().stale, []);
    let migration = new().migrate(&pool).await.unwrap();
    assert_eq!(migration.stale, [new::Post::VIEW.table]);
    pool
}

fn new_document(id: i64) -> Value {
    json!({
        "id": id,
        "title": format!("post {id}"),
        "score": 0.1,
        "createdAt": "2026-07-10T12:00:00+00:00",
        "author": {"id": 1, "fullName": "Ada Lovelace"},
    })
}

fn old_document(id: i64) -> Value {
    json!({
        "id": id,
        "title": format!("post {id}"),
        "author": {"id": 1, "name": "Ada Lovelace"},
    })
}

/// How many documents are stored in the shape of the new release.
async fn rebuilt(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tv_post WHERE shape = $1")
        .bind(new::Post::statements().shape)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// How many documents differ from what the new release would build now.
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

/// Asks until the answer is yes.
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

/// Rebuilds, once the server has noticed that the last session to do so is gone.
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

#[tokio::test]
async fn each_release_reads_documents_of_its_own_shape() -> anyhow::Result<()> {
    let pool = deployed(6).await;
    new::sync_post(&pool, &[2, 5]).await?;

    let json = new::Post::find_json(&pool, 1).await?.expect("there is one");
    assert_eq!(serde_json::from_str::<Value>(json.get())?, new_document(1));
    let json = old::Post::find_json(&pool, 2).await?.expect("there is one");
    assert_eq!(serde_json::from_str::<Value>(json.get())?, old_document(2));
    assert_eq!(new::Post::find(&pool, 2).await?.unwrap().score, 0.1);
    assert_eq!(new::Post::find(&pool, 99).await?, None);

    // Stored and built ones in the order of the keys, also one that is asked for twice.
    let keys = [5, 1, 99, 2, 6, 1];
    let posts = new::Post::find_many(&pool, &keys).await?;
    let found: Vec<Value> = posts
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<_, _>>()?;
    assert_eq!(found, [5, 1, 2, 6, 1].map(new_document));
    let posts = old::Post::find_many(&pool, &keys).await?;
    let found: Vec<Value> = posts
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<_, _>>()?;
    assert_eq!(found, [5, 1, 2, 6, 1].map(old_document));
    Ok(())
}

#[tokio::test]
async fn what_is_built_for_a_read_is_as_it_would_be_stored() -> anyhow::Result<()> {
    let pool = deployed(2).await;
    let read = async || new::Post::find_json(&pool, 1).await;
    let built = read().await?.expect("there is one").get().to_owned();
    new::sync_post(&pool, &[1]).await?;
    assert_eq!(read().await?.expect("there is one").get(), built);
    Ok(())
}

#[tokio::test]
async fn a_document_of_the_right_shape_is_read_without_the_base_tables() -> anyhow::Result<()> {
    let pool = deployed(2).await;
    new::sync_post(&pool, &[2]).await?;
    run(&pool, "ALTER TABLE tb_post RENAME TO elsewhere").await;
    assert!(new::Post::find(&pool, 2).await?.is_some());
    assert_eq!(new::Post::find_many(&pool, &[2]).await?.len(), 1);
    let error = new::Post::find(&pool, 1).await.unwrap_err();
    assert!(error.to_string().contains("tb_post"), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_session_of_the_reader_is_as_it_was() -> anyhow::Result<()> {
    let pool = deployed(2).await;
    let odd = "SET TimeZone = 'Asia/Kolkata'; SET extra_float_digits = -10";
    let odd_pool = PgPoolOptions::new()
        .max_connections(1)
        .after_connect(move |connection, _| {
            Box::pin(async move { sqlx::raw_sql(odd).execute(connection).await.map(drop) })
        })
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let settings = "SELECT current_setting('TimeZone') || current_setting('extra_float_digits')";
    let right = |json: Option<Box<serde_json::value::RawValue>>| {
        let json: Value = serde_json::from_str(json.expect("there is one").get()).unwrap();
        assert_eq!(json, new_document(1));
    };

    right(new::Post::find_json(&odd_pool, 1).await?);
    let mut connection = odd_pool.acquire().await?;
    right(new::Post::find_json(&mut connection, 1).await?);
    right(new::Post::find_json(&mut *connection, 1).await?);
    let set: String = sqlx::query_scalar(settings)
        .fetch_one(&mut *connection)
        .await?;
    assert_eq!(set, "Asia/Kolkata-10");
    drop(connection);

    // In a transaction, which sees its own changes and goes on.
    let mut transaction = odd_pool.begin().await?;
    sqlx::raw_sql("UPDATE tb_post SET title = 'mine' WHERE id = 2")
        .execute(&mut *transaction)
        .await?;
    right(new::Post::find_json(&mut transaction, 1).await?);
    let post = new::Post::find(&mut *transaction, 2).await?.unwrap();
    assert_eq!(post.title, "mine");
    let set: String = sqlx::query_scalar(settings)
        .fetch_one(&mut *transaction)
        .await?;
    assert_eq!(set, "Asia/Kolkata-10");
    transaction.commit().await?;
    assert_eq!(new::Post::find(&pool, 2).await?.unwrap().title, "mine");
    Ok(())
}

#[tokio::test]
async fn a_document_that_cannot_be_built_is_an_error_with_the_reason() -> anyhow::Result<()> {
    let pool = deployed(3).await;
    run(&pool, "UPDATE tb_post SET score = 'NaN' WHERE id = 2").await;
    let mut transaction = pool.begin().await?;
    for error in [
        new::Post::find(&pool, 2).await.unwrap_err(),
        new::Post::find_many(&pool, &[1, 2, 3]).await.unwrap_err(),
        new::Post::find(&mut transaction, 2).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            "document 2 of \"public\".\"tv_post\": score: NaN cannot be represented"
        );
    }
    // The transaction of the caller is as good as before.
    assert!(new::Post::find(&mut transaction, 3).await?.is_some());
    // And the old release has the document.
    assert!(old::Post::find(&pool, 2).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn a_sync_writes_the_shape_of_its_release_also_of_equal_documents() -> anyhow::Result<()> {
    /// The same JSON by another type.
    mod nullable {
        #[derive(fraiseql_runtime::TView)]
        #[allow(dead_code)]
        pub(crate) struct Post {
            pub id: i64,
            pub title: Option<String>,
            #[tview(one(fk = "author_id"))]
            pub author: super::old::Author,
        }
    }
    let pool = deployed(2).await;
    let shape = async || -> anyhow::Result<(i64, i64)> {
        let sql = "SELECT shape, version FROM tv_post WHERE id = 1";
        Ok(sqlx::query_as(sql).fetch_one(&pool).await?)
    };
    let [old, new, nullable] = [
        old::Post::statements().shape,
        new::Post::statements().shape,
        nullable::Post::statements().shape,
    ];
    assert_eq!(shape().await?, (old, 1));
    assert_eq!(new::sync_post(&pool, &[1]).await?.updated, 1);
    assert_eq!(shape().await?, (new, 2));
    assert_eq!(new::sync_post(&pool, &[1]).await?.unchanged, 1);
    let mut transaction = pool.begin().await?;
    assert_eq!(old::sync_post(&mut transaction, &[1]).await?.updated, 1);
    transaction.commit().await?;
    assert_eq!(shape().await?, (old, 3));
    assert_eq!(nullable::sync_post(&pool, &[1]).await?.updated, 1);
    assert_eq!(nullable::sync_post(&pool, &[1]).await?.unchanged, 1);
    assert_eq!(shape().await?, (nullable, 4));
    Ok(())
}

#[tokio::test]
async fn a_rebuild_brings_all_documents_up_to_date_and_is_not_needed_twice() -> anyhow::Result<()> {
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
    // For the old release it would be needed, if it were to stay.
    let migration = old().migrate(&pool).await?;
    assert_eq!(migration.stale, [old::Post::VIEW.table]);
    assert!(
        migration.to_string().ends_with(
            "stale \"public\".\"tv_post\": its documents are of another shape than the struct; \
             run ReadModel::rebuild"
        ),
        "{migration}"
    );
    Ok(())
}

#[tokio::test]
async fn what_the_old_release_has_written_since_is_found_by_the_next_rebuild() -> anyhow::Result<()>
{
    // More than one page is looked through, and more than one chunk is found.
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
async fn going_back_to_the_old_release_is_a_rebuild_from_the_start() -> anyhow::Result<()> {
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

#[tokio::test]
async fn a_rebuild_that_is_dropped_goes_on_where_it_was() -> anyhow::Result<()> {
    let pool = deployed(1000).await;
    let (reached, at_five) = tokio::sync::oneshot::channel();
    let mut reached = Some(reached);
    let model = new();
    {
        let rebuild = model
            .rebuild(&pool)
            .chunk(50)
            .on_progress(|_, progress| {
                if progress.chunks == 5 {
                    reached.take().map(|reached| reached.send(()));
                }
            })
            .into_future();
        tokio::select! {
            _ = rebuild => panic!("it is not done so soon"),
            _ = at_five => {}
        }
    }
    let status = status(&model, &pool).await;
    assert!(
        matches!(
            status.state,
            RebuildState::Interrupted | RebuildState::Running
        ),
        "{status}"
    );
    assert!(status.done >= 200, "{status}");
    assert_eq!(status.position, Some(status.done.to_string()));
    assert!(status.to_string().ends_with(" of 1000"), "{status}");

    let report = rebuild_when_free(&model, &pool, 50).await;
    let view = &report.views[0];
    assert_eq!(view.outcome, RebuildOutcome::Rebuilt);
    let from = view.resumed_at.as_ref().expect("it went on").to_string();
    let from: u64 = from.parse()?;
    assert!(from >= status.done, "{from}");
    assert_eq!(view.report.total(), 1000 - from);
    assert_eq!(wrong(&pool).await, 0);
    assert_eq!(model.rebuild_status(&pool).await?[0].done, 1000);
    Ok(())
}

/// A trigger that ends the backend of every statement from the third to `last`.
async fn lose(pool: &PgPool, last: i64) {
    let sql = format!(
        "CREATE SEQUENCE statements;
         CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$
         DECLARE number int8 = nextval('statements');
         BEGIN
             IF number BETWEEN 3 AND {last} THEN
                 PERFORM pg_terminate_backend(pg_backend_pid());
                 PERFORM pg_sleep(10);
             END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER lose AFTER INSERT ON tv_post FOR EACH STATEMENT EXECUTE FUNCTION lose()"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(pool)
        .await
        .unwrap();
}

async fn statements(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT last_value FROM statements")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_session_that_is_killed_is_replaced_and_goes_on_where_it_was() -> anyhow::Result<()> {
    let pool = deployed(1000).await;
    lose(&pool, 3).await;
    let report = new().rebuild(&pool).chunk(100).await?;
    let view = &report.views[0];
    assert_eq!(view.outcome, RebuildOutcome::Rebuilt);
    assert_eq!(
        view.resumed_at.as_ref().map(ToString::to_string).as_deref(),
        Some("200")
    );
    assert_eq!(view.report.total(), 1000);
    assert_eq!(
        statements(&pool).await,
        10 + 1 + 1,
        "ten chunks, one of them twice, and the documents that the lost session has marked"
    );
    assert_eq!(wrong(&pool).await, 0);
    Ok(())
}

#[tokio::test]
async fn a_rebuild_whose_sessions_are_killed_each_time_fails_and_the_next_goes_on()
-> anyhow::Result<()> {
    let pool = deployed(1000).await;
    lose(&pool, 6).await;
    let error = new().rebuild(&pool).chunk(100).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    assert_eq!(
        statements(&pool).await,
        2 + 4,
        "on three further connections"
    );
    let status = status(&new(), &pool).await;
    assert_eq!(
        (status.done, status.position.as_deref()),
        (200, Some("200"))
    );
    let report = rebuild_when_free(&new(), &pool, 100).await;
    assert_eq!(report.views[0].report.total(), 800);
    assert_eq!(wrong(&pool).await, 0);
    Ok(())
}

#[tokio::test]
async fn of_two_rebuilds_one_works_and_the_other_says_so() -> anyhow::Result<()> {
    let pool = deployed(500).await;
    // The first waits for a document in the second chunk.
    let mut holder = pool.begin().await?;
    sqlx::query("SELECT FROM tv_post WHERE id = 150 FOR UPDATE")
        .execute(&mut *holder)
        .await?;
    let first = tokio::spawn({
        let pool = pool.clone();
        async move { new().rebuild(&pool).chunk(100).await }
    });
    until(async || status(&new(), &pool).await.done == 100).await;

    let now = status(&new(), &pool).await;
    assert_eq!(now.state, RebuildState::Running);
    assert_eq!(
        now.to_string(),
        "\"public\".\"tv_post\": running, 100 of 500"
    );
    assert!(now.started_at <= now.updated_at && now.finished_at.is_none());
    // As anyone sees it.
    let row: (String, i64, String, String, i64, i64) = sqlx::query_as(
        "SELECT view, shape, state, position, done, expected FROM fraiseql_view
         WHERE state = 'running' AND started_at <= updated_at AND finished_at IS NULL",
    )
    .fetch_one(&pool)
    .await?;
    let shape = new::Post::statements().shape;
    let text = str::to_owned;
    assert_eq!(
        row,
        (
            text("tv_post"),
            shape,
            text("running"),
            text("100"),
            100,
            500
        )
    );

    for model in [new(), old()] {
        let second = model.rebuild(&pool).await?;
        assert_eq!(second.views[0].outcome, RebuildOutcome::InProgress);
        assert!(!second.is_complete());
        assert_eq!(second.views[0].report.total(), 0);
    }
    assert_eq!(status(&new(), &pool).await.done, 100);
    holder.rollback().await?;
    let report = first.await??;
    assert_eq!(report.views[0].report.updated, 500);
    assert_eq!(wrong(&pool).await, 0);
    Ok(())
}

/// The only connection there is, and the lock is given back.
#[tokio::test]
async fn a_pool_of_one_connection_is_enough() -> anyhow::Result<()> {
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
async fn an_empty_view_needs_no_rebuild() -> anyhow::Result<()> {
    let pool = deployed(3).await;
    run(&pool, "TRUNCATE tv_post, fraiseql_view").await;
    // There are rows, and not one document of them.
    let status_now = status(&new(), &pool).await;
    assert_eq!(status_now.state, RebuildState::Done);
    let report = new().rebuild(&pool).await?;
    assert_eq!(report.views[0].outcome, RebuildOutcome::UpToDate);
    assert_eq!(rebuilt(&pool).await, 0);
    new::sync_post(&pool, &[1]).await?;
    assert_eq!(new().migrate(&pool).await?.stale, [], "it was noted");

    run(&pool, "TRUNCATE tv_post, fraiseql_view").await;
    let migration = new().migrate(&pool).await?;
    assert_eq!(migration, fraiseql_runtime::Migration::default());
    new::sync_post(&pool, &[1]).await?;
    assert_eq!(new().migrate(&pool).await?.stale, [], "it was noted");
    Ok(())
}

#[tokio::test]
async fn a_view_table_of_an_older_version_gets_the_column() -> anyhow::Result<()> {
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
    let model = ReadModel::builder().view::<words::Word>().build()?;
    let migration = model.migrate(&pool).await?;
    assert_eq!(
        migration.created,
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

/// Readers of both releases, and writers of both, while it is rebuilt.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_releases_read_their_own_while_both_write_and_one_rebuilds() -> anyhow::Result<()> {
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
