//! Tests of views whose documents are in a materialized view.

use std::time::Duration;

use fraiseql_runtime::list::{Filter, OrderBy};
use fraiseql_runtime::{Error, ReadModel, TView};
use fraiseql_tests::world::{counts, model, numbered_blog};
use fraiseql_tests::{assert_up_to_date, run};
use sqlx::{AssertSqlSafe, PgPool};

#[derive(TView)]
#[tview(
    table = "tb_post",
    storage = "matview",
    refresh = "1s",
    index(on = "size, id")
)]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(sort)]
    title: String,
    #[tview(filter, expr = "length({}.title)")]
    size: i32,
}

/// The same with another field.
mod newer {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "tb_post", storage = "matview")]
    #[allow(dead_code)]
    pub(super) struct Post {
        pub(super) id: i64,
        #[tview(sort)]
        pub(super) title: String,
        #[tview(filter)]
        pub(super) author_id: i64,
    }
}

/// The same columns with other documents.
mod louder {
    #[derive(fraiseql_runtime::TView)]
    #[tview(
        table = "tb_post",
        storage = "matview",
        refresh = "1s",
        index(on = "size, id")
    )]
    #[allow(dead_code)]
    pub(super) struct Post {
        pub(super) id: i64,
        #[tview(sort, expr = "upper({}.title)")]
        pub(super) title: String,
        #[tview(filter, expr = "length({}.title)")]
        pub(super) size: i32,
    }
}

/// The same in a view table.
mod stored {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "tb_post")]
    #[allow(dead_code)]
    pub(super) struct Post {
        pub(super) id: i64,
        pub(super) title: String,
    }
}

async fn posts() -> (PgPool, ReadModel) {
    let pool = numbered_blog().rows(3).pool().await;
    let model = model::<Post>();
    model.migrate(&pool).await.unwrap();
    (pool, model)
}

async fn title(pool: &PgPool) -> String {
    Post::find(pool, 1).await.unwrap().unwrap().title
}

async fn rename(pool: &PgPool, title: &str) {
    sqlx::query("UPDATE tb_post SET title = $1 WHERE id = 1")
        .bind(title)
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn migrate_creates_and_fills_it_once() {
    let pool = numbered_blog().rows(3).pool().await;
    let model = model::<Post>();
    let plan = model.migration_plan(&pool).await.unwrap();
    let migration = model.migrate(&pool).await.unwrap();
    assert_eq!(
        migration.created,
        [
            r#"table "public"."fraiseql_refresh""#,
            r#"materialized view "public"."tv_post""#
        ]
    );
    assert!(!migration.needs_rebuild());
    assert_eq!(Post::list().fetch::<Post>(&pool).await.unwrap().len(), 3);
    assert_up_to_date(&model.migrate(&pool).await.unwrap());
    assert_eq!(model.migration_plan(&pool).await.unwrap(), [""; 0]);
    let report = fraiseql_tests::without_server(model.check(&pool).await.unwrap());
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");

    // The plan does the same on a database of its own, also applied twice.
    let other = numbered_blog().rows(3).pool().await;
    for sql in plan.iter().chain(&plan) {
        sqlx::raw_sql(AssertSqlSafe(sql.clone()))
            .execute(&other)
            .await
            .unwrap();
    }
    assert_up_to_date(&model.migrate(&other).await.unwrap());
    assert_eq!(Post::list().fetch::<Post>(&other).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_refresh_shows_changes_and_its_age() {
    let (pool, model) = posts().await;
    rename(&pool, "New").await;
    assert_ne!(title(&pool).await, "New");
    let nothing = sync_post(&pool, &[1]).await.unwrap();
    assert_eq!(counts(&nothing), [0; 4]);
    assert_eq!(counts(&sync_all_posts(&pool).await.unwrap()), [0; 4]);
    assert_eq!(counts(&delete_post(&pool, &[1]).await.unwrap()), [0; 4]);
    // Verification tells how far it is behind.
    let report = verify_post(&pool).await.unwrap();
    assert_eq!(report.drifted.of::<Post>(), [1]);
    sqlx::query("UPDATE fraiseql_refresh SET refreshed_at = refreshed_at - interval '1 hour'")
        .execute(&pool)
        .await
        .unwrap();
    let old = model.age::<Post>(&pool).await.unwrap().unwrap();
    assert!(old >= Duration::from_secs(3600), "{old:?}");
    let report = model.refresh::<Post>(&pool).await.unwrap();
    assert!(report.refreshed);
    assert_eq!(title(&pool).await, "New");
    let age = model.age::<Post>(&pool).await.unwrap().unwrap();
    assert!(age < Duration::from_secs(60), "{age:?}");
    assert!(verify_post(&pool).await.unwrap().is_clean());
}

/// A row that has not changed keeps its version: a refresh compares.
#[tokio::test]
async fn a_refresh_writes_what_differs() {
    let (pool, model) = posts().await;
    rename(&pool, "New").await;
    let versions = || {
        sqlx::query_scalar::<_, (i64, String)>(
            "SELECT ROW(id, xmin::text) FROM tv_post ORDER BY id",
        )
        .fetch_all(&pool)
    };
    let before = versions().await.unwrap();
    model.refresh::<Post>(&pool).await.unwrap();
    let after = versions().await.unwrap();
    let changed: Vec<i64> = before
        .iter()
        .zip(&after)
        .filter(|(a, b)| a != b)
        .map(|(a, _)| a.0)
        .collect();
    assert_eq!(changed, [1]);
}

#[tokio::test]
async fn lists_use_its_indexes() {
    let (pool, model) = posts().await;
    let posts = "INSERT INTO tb_post (id, author_id, title)
        SELECT n, 1, repeat('x', n % 97) FROM generate_series(10, 5000) AS n";
    run(&pool, posts).await;
    model.refresh::<Post>(&pool).await.unwrap();
    run(&pool, "ANALYZE tv_post").await;
    let list = Post::list().filter(Filter::eq("size", 5));
    let plan = list.explain(&pool).await.unwrap();
    assert!(plan.contains("tv_post_size"), "{plan}");
    let plan = Post::list()
        .order_by(OrderBy::asc("title"))
        .limit(3)
        .explain(&pool)
        .await
        .unwrap();
    assert!(plan.contains("tv_post_title_idx"), "{plan}");
}

#[tokio::test]
async fn a_changed_struct_takes_the_place_of_the_old_one() {
    let (pool, old) = posts().await;
    let new = model::<newer::Post>();
    // Before the migration its documents are stale, and built.
    let post = newer::Post::find(&pool, 1).await.unwrap().unwrap();
    assert_eq!(post.author_id, 1);
    let report = new.check(&pool).await.unwrap().to_string();
    assert!(report.contains("it lacks the column author_id"), "{report}");
    let migration = new.migrate(&pool).await.unwrap();
    assert_eq!(
        migration.created,
        [r#"materialized view "public"."tv_post""#]
    );
    let list = newer::Post::list().filter(Filter::eq("authorId", 1));
    assert!(!list.fetch::<newer::Post>(&pool).await.unwrap().is_empty());
    assert_up_to_date(&new.migrate(&pool).await.unwrap());
    // The old release goes on, by key.
    assert_eq!(Post::find(&pool, 1).await.unwrap().unwrap().id, 1);
    drop(old);
}

#[tokio::test]
async fn a_check_names_documents_of_another_struct() {
    let (pool, _) = posts().await;
    let louder = model::<louder::Post>();
    let report = fraiseql_tests::without_server(louder.check(&pool).await.unwrap()).to_string();
    assert!(report.contains("0 errors, 1 warning"), "{report}");
    assert!(
        report.contains("was not created for this struct"),
        "{report}"
    );
    louder.migrate(&pool).await.unwrap();
    let report = fraiseql_tests::without_server(louder.check(&pool).await.unwrap()).to_string();
    assert_eq!(report, "check: 0 errors, 0 warnings");
    let list = louder::Post::list()
        .fetch::<louder::Post>(&pool)
        .await
        .unwrap();
    assert_eq!(list[0].title, "POST 1");
}

#[tokio::test]
async fn another_storage_is_an_error_that_says_what_to_drop() {
    let (pool, _) = posts().await;
    let error = model::<stored::Post>().migrate(&pool).await.unwrap_err();
    assert!(matches!(error, Error::OtherStorage { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "\"public\".\"tv_post\" is a materialized view, but the struct has `storage = \"table\"`; drop \
         it, and migrate again: DROP MATERIALIZED VIEW \"public\".\"tv_post\""
    );
    let pool = numbered_blog().rows(3).pool().await;
    model::<stored::Post>().migrate(&pool).await.unwrap();
    let error = model::<Post>().migrate(&pool).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("DROP TABLE \"public\".\"tv_post\""),
        "{error}"
    );
}

#[tokio::test]
async fn refreshes_at_the_same_time_all_succeed() {
    let (pool, model) = posts().await;
    let mut refreshes = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (pool, model) = (pool.clone(), model.clone());
        refreshes.spawn(async move {
            rename(&pool, &format!("Round {n}")).await;
            model.refresh::<Post>(&pool).await.map(|_| ())
        });
    }
    while let Some(done) = refreshes.join_next().await {
        done.unwrap().unwrap();
    }
    assert!(verify_post(&pool).await.unwrap().is_clean());
}

#[tokio::test]
async fn a_document_that_cannot_be_built_leaves_the_old_ones() {
    #[derive(TView)]
    #[tview(table = "tb_measure", storage = "matview", refresh = "1s")]
    #[allow(dead_code)]
    struct Measure {
        id: i64,
        value: f64,
    }
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE tb_measure (id int8 PRIMARY KEY, value float8 NOT NULL);
         INSERT INTO tb_measure VALUES (1, 1.5)",
    )
    .await;
    let model = model::<Measure>();
    model.migrate(&pool).await.unwrap();
    run(&pool, "INSERT INTO tb_measure VALUES (2, 'NaN'), (3, 2)").await;
    let Err(Error::Invalid { documents }) = model.refresh::<Measure>(&pool).await else {
        panic!("a document is invalid");
    };
    assert_eq!((documents[0].key.as_str(), documents.len()), ("2", 1));
    assert_eq!(Measure::find(&pool, 1).await.unwrap().unwrap().value, 1.5);
    assert!(Measure::find(&pool, 3).await.unwrap().is_none());
    // A worker notes it, and goes on.
    let worker = model.worker(&pool);
    let health = worker.health();
    let stop = async {
        while health.last_error().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let stop = tokio::time::timeout(Duration::from_secs(60), stop);
    worker.run(async { stop.await.unwrap() }).await.unwrap();
    let noted: Option<String> = sqlx::query_scalar("SELECT error FROM fraiseql_refresh")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(noted.unwrap().contains("value"));
}

/// Two workers share the work: a view that is due is refreshed by one of them.
#[tokio::test]
async fn workers_refresh_what_is_due() {
    let (pool, model) = posts().await;
    rename(&pool, "By a worker").await;
    let seen = async || {
        let seen = async {
            while title(&pool).await != "By a worker" {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), seen)
            .await
            .unwrap();
        // The worker that has refreshed the view is to have its answer, too.
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let (one, two) = (model.worker(&pool), model.worker(&pool));
    let (one, two) = tokio::join!(one.run(seen()), two.run(seen()));
    let refreshes = one.unwrap().refreshes + two.unwrap().refreshes;
    assert!(refreshes >= 1, "{refreshes}");
    assert!(refreshes <= 3, "{refreshes}");
}

#[tokio::test]
async fn a_materialized_view_without_rows_is_filled() {
    let (pool, model) = posts().await;
    run(&pool, "REFRESH MATERIALIZED VIEW tv_post WITH NO DATA").await;
    assert!(Post::find(&pool, 1).await.is_err());
    model.refresh::<Post>(&pool).await.unwrap();
    assert!(Post::find(&pool, 1).await.unwrap().is_some());
}

/// The statements that other tests of this file run.
#[test]
fn the_statements() {
    let sql = Post::statements().matview.as_ref().unwrap();
    insta::assert_snapshot!("create", sql.create);
    insta::assert_snapshot!("find", Post::statements().read.find);
}
