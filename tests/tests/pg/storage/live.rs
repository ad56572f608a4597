//! Tests of views whose documents are built when they are read.

use chrono::{DateTime, Utc};
use fraiseql_runtime::list::{Filter, Operator, OrderBy, Page};
use fraiseql_runtime::{Error, ReadModel, Readers, Recorder, TView};
use fraiseql_tests::world::numbered::Author;
use fraiseql_tests::world::{ODD_SESSION, counts, model, numbered_blog};
use serde_json::json;
use sqlx::{Executor as _, PgPool};

#[derive(Debug, TView)]
#[tview(table = "tb_post", storage = "live")]
struct Draft {
    id: i64,
    #[tview(sort)]
    title: String,
    #[tview(sort)]
    created_at: DateTime<Utc>,
}

#[derive(TView)]
#[tview(table = "tb_post", storage = "live", filter = "title <> 'Post 2'")]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
    #[tview(filter, sort, expr = "length({}.title)")]
    size: i32,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(
        filter,
        sort,
        count(table = "tb_post", fk = "author_id", key = "author_id")
    )]
    of_author: i64,
}

async fn posts() -> PgPool {
    let pool = numbered_blog()
        .rows(3)
        .column(
            "tb_post",
            "created_at timestamptz NOT NULL DEFAULT '2026-07-10T12:00:00Z'",
        )
        .pool()
        .await;
    let author: String = sqlx::query_scalar("SELECT name FROM tb_user WHERE id = 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(!author.is_empty());
    pool
}

#[tokio::test]
async fn no_view_table_no_migration_and_no_sync() {
    let pool = posts().await;
    let model = ReadModel::builder().view::<Post>().build().unwrap();
    assert_eq!(model.migration_plan(&pool).await.unwrap(), [""; 0]);
    let migration = model.migrate(&pool).await.unwrap();
    assert!(migration.created.is_empty() && !migration.needs_rebuild());
    assert!(Post::find(&pool, 1).await.unwrap().is_some());
    // The filter says which rows have a document.
    assert!(Post::find(&pool, 2).await.unwrap().is_none());
    assert!(Post::find(&pool, 9).await.unwrap().is_none());

    // A change shows at once, and there is nothing to sync, to delete, to verify or to rebuild.
    sqlx::raw_sql(
        "UPDATE tb_post SET title = 'New' WHERE id = 1; DELETE FROM tb_post WHERE id = 3",
    )
    .execute(&pool)
    .await
    .unwrap();
    assert_eq!(Post::find(&pool, 1).await.unwrap().unwrap().title, "New");
    assert!(Post::find(&pool, 3).await.unwrap().is_none());
    assert_eq!(counts(&sync_post(&pool, &[1, 9]).await.unwrap()), [0; 4]);
    assert_eq!(counts(&sync_all_posts(&pool).await.unwrap()), [0; 4]);
    assert_eq!(counts(&delete_post(&pool, &[1]).await.unwrap()), [0; 4]);
    let mut tx = pool.begin().await.unwrap();
    assert_eq!(counts(&sync_post(&mut tx, &[1]).await.unwrap()), [0; 4]);
    tx.commit().await.unwrap();
    assert!(Post::find(&pool, 1).await.unwrap().is_some());
    let report = verify_post(&pool).await.unwrap();
    assert!(report.is_clean() && report.checked == 0);
    assert!(model.verify(&pool).await.unwrap().is_clean());
    assert!(model.rebuild(&pool).await.unwrap().views.is_empty());
    assert!(model.sync_all(&pool).await.unwrap().views.is_empty());
    assert_eq!(
        model.age::<Post>(&pool).await.unwrap(),
        Some(std::time::Duration::ZERO)
    );
    assert!(!model.refresh::<Post>(&pool).await.unwrap().refreshed);
    let report = fraiseql_tests::without_server(model.check(&pool).await.unwrap());
    assert_eq!(report.errors().count(), 0, "{report}");

    // A unit test still sees the call.
    let recorder = Recorder::new();
    sync_post(&recorder, &[1]).await.unwrap();
    assert_eq!(recorder.synced::<Post>(), [1]);
}

#[tokio::test]
async fn a_mutation_passes_over_it() {
    #[derive(TView)]
    #[tview(table = "tb_post", entity = "stored_post")]
    #[allow(dead_code)]
    struct Stored {
        id: i64,
        title: String,
    }
    let pool = posts().await;
    let model = ReadModel::builder()
        .view::<Post>()
        .view::<Draft>()
        .view::<Stored>()
        .capture(fraiseql_runtime::Capture::Queue)
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    let mut m = model.mutation(&pool).await.unwrap();
    sqlx::query("UPDATE tb_post SET title = 'New' WHERE id = 1")
        .execute(&mut *m)
        .await
        .unwrap();
    let report = m.commit().await.unwrap();
    assert_eq!(report.views.len(), 1, "{report}");
    assert!(Stored::find(&pool, 1).await.unwrap().is_some());
    // An author is in live documents only.
    let mut m = model.mutation(&pool).await.unwrap();
    sqlx::query("UPDATE tb_user SET name = 'New' WHERE id = 1")
        .execute(&mut *m)
        .await
        .unwrap();
    m.changed::<Author>(&[1]);
    assert!(m.commit().await.unwrap().views.is_empty());
    let post = Post::find_json(&pool, 1).await.unwrap().unwrap();
    let post: serde_json::Value = serde_json::from_str(post.get()).unwrap();
    assert_eq!(post["author"]["name"], json!("New"));
}

#[tokio::test]
async fn every_session_yields_the_same_bytes() {
    let pool = posts().await;
    let json = Draft::find_json(&pool, 1).await.unwrap().unwrap();
    let list = Draft::list().order_by(OrderBy::desc("createdAt"));
    let listed = list.read(&pool).await.unwrap();
    let bytes: Vec<_> = listed.iter().map(|it| it.json().to_vec()).collect();
    let mut odd = pool.acquire().await.unwrap();
    odd.execute(ODD_SESSION).await.unwrap();
    for _ in 0..3 {
        let again = Draft::find_json(&mut odd, 1).await.unwrap().unwrap();
        assert_eq!(again.get(), json.get());
        assert!(Draft::find_json(&mut odd, 9).await.unwrap().is_none());
        let many = Draft::find_many(&mut odd, &[3, 9, 1, 1]).await.unwrap();
        assert_eq!(many.iter().map(|it| it.id).collect::<Vec<_>>(), [3, 1, 1]);
        let again = list.read(&mut odd).await.unwrap();
        let again: Vec<_> = again.iter().map(|it| it.json().to_vec()).collect();
        assert_eq!(again, bytes);
        let page = list.page(Page::first(2), &mut odd).await.unwrap();
        assert_eq!(page.len(), 2);
    }
    // The settings of the session are as they were.
    let zone: String = sqlx::query_scalar("SHOW TimeZone")
        .fetch_one(&mut *odd)
        .await
        .unwrap();
    assert_eq!(zone, "Asia/Kathmandu");
}

#[tokio::test]
async fn every_target_reads_it() {
    let pool = posts().await;
    let readers = Readers::lending(pool.clone());
    let mut tx = pool.begin().await.unwrap();
    tx.execute("UPDATE tb_post SET title = 'Mine' WHERE id = 1")
        .await
        .unwrap();
    assert_eq!(
        Draft::find(&mut tx, 1).await.unwrap().unwrap().title,
        "Mine"
    );
    assert_ne!(
        Draft::find(&readers, 1).await.unwrap().unwrap().title,
        "Mine"
    );
    tx.rollback().await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let titles = Draft::list().fetch::<Draft>(&mut connection).await.unwrap();
    assert_eq!(titles.len(), 3);
}

#[tokio::test]
async fn promoted_expressions_and_aggregates_filter_and_sort() {
    let pool = posts().await;
    sqlx::raw_sql("UPDATE tb_post SET title = 'A long title' WHERE id = 3")
        .execute(&pool)
        .await
        .unwrap();
    let ids = async |list: fraiseql_runtime::list::List<Post>| -> Vec<i64> {
        let posts: Vec<Post> = list.fetch(&pool).await.unwrap();
        posts.iter().map(|post| post.id).collect()
    };
    assert_eq!(
        ids(Post::list().order_by(OrderBy::desc("size"))).await,
        [3, 1]
    );
    assert_eq!(
        ids(Post::list().filter(Filter::compare("size", Operator::Gt, 6))).await,
        [3]
    );
    let all = Post::list().filter(Filter::compare("ofAuthor", Operator::Gt, 0));
    assert_eq!(ids(all.order_by(OrderBy::asc("ofAuthor"))).await, [1, 3]);
    assert_eq!(
        ids(Post::list().order_by(OrderBy::desc("size")).limit(1)).await,
        [3]
    );
}

/// A constant of several lines in an expression, which depends on the session, too.
#[tokio::test]
async fn a_fragment_of_several_lines_is_not_changed() {
    #[derive(TView)]
    #[tview(table = "tb_post", storage = "live")]
    #[allow(dead_code)]
    struct Letter {
        id: i64,
        #[tview(sort, expr = "concat('Dear\n  ', {}.title, '\n\nyours')")]
        text: String,
    }
    let pool = posts().await;
    let wanted = "Dear\n  Post 1\n\nyours";
    assert_eq!(Letter::find(&pool, 1).await.unwrap().unwrap().text, wanted);
    let letters = Letter::list().order_by(OrderBy::asc("text"));
    let letters = letters.fetch::<Letter>(&pool).await.unwrap();
    assert_eq!(letters[0].text, wanted);
}

/// What a caller does not need is not built.
#[tokio::test]
async fn omitted_fields_are_not_built() {
    let pool = posts().await;
    let list = Post::list().omit(["author", "size", "ofAuthor"]);
    let sql = list.sql().unwrap();
    assert!(
        !sql.contains("tb_user") && !sql.contains("count(*)"),
        "{sql}"
    );
    let documents = list.read(&pool).await.unwrap();
    let texts: Vec<&str> = documents
        .iter()
        .map(|document| std::str::from_utf8(document.json()).unwrap())
        .collect();
    assert_eq!(
        texts,
        [
            r#"{"id": 1, "title": "Post 1"}"#,
            r#"{"id": 3, "title": "Post 3"}"#
        ]
    );
    let all = ["id", "title", "author", "size", "ofAuthor"];
    assert_eq!(Post::list().omit(all).read(&pool).await.unwrap().len(), 2);
}

/// A document that cannot be built fails the read, which names it.
#[tokio::test]
async fn a_value_without_json_is_an_error_that_names_the_document() {
    #[derive(TView)]
    #[tview(table = "tb_measure", storage = "live")]
    #[allow(dead_code)]
    struct Measure {
        id: i64,
        value: f64,
    }
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(
        &pool,
        "CREATE TABLE tb_measure (id int8 PRIMARY KEY, value float8 NOT NULL);
         INSERT INTO tb_measure VALUES (1, 1.5), (2, 'NaN')",
    )
    .await;
    assert!(Measure::find(&pool, 1).await.unwrap().is_some());
    let Err(Error::Invalid { documents }) = Measure::find(&pool, 2).await.map(drop) else {
        panic!("the document is invalid");
    };
    assert_eq!((documents[0].key.as_str(), documents.len()), ("2", 1));
    assert!(
        documents[0].reason.contains("value"),
        "{}",
        documents[0].reason
    );
    let error = Measure::list().read(&pool).await.unwrap_err().to_string();
    assert!(error.contains("tb_measure"), "{error}");
    let _ = model::<Measure>();
}

#[tokio::test]
async fn a_page_is_selected_before_its_documents_are_built() {
    let pool = posts().await;
    sqlx::raw_sql(
        "INSERT INTO tb_post (id, author_id, title, created_at)
         SELECT n, 1, 'Post ' || n, '2026-01-01'::timestamptz + n * interval '1 minute'
         FROM generate_series(10, 5000) AS n;
         CREATE INDEX ON tb_post (created_at, id);
         ANALYZE tb_post",
    )
    .execute(&pool)
    .await
    .unwrap();
    let list = Draft::list().order_by(OrderBy::desc("createdAt")).limit(5);
    let plan = list.explain(&pool).await.unwrap();
    assert!(
        plan.contains("Index Scan Backward") || plan.contains("Index Only Scan Backward"),
        "{plan}"
    );
    assert!(!plan.contains("Seq Scan"), "{plan}");
}

/// The statements that other tests of this file run.
#[test]
fn the_statements() {
    let read = &Post::statements().read;
    insta::assert_snapshot!("find", read.find);
    insta::assert_snapshot!("find_many", read.find_many);
    let list = Post::list()
        .filter(Filter::compare("ofAuthor", Operator::Gt, 0))
        .order_by(OrderBy::desc("size"))
        .limit(5);
    insta::assert_snapshot!("list", list.sql().unwrap());
    let list = Draft::list().order_by(OrderBy::desc("createdAt"));
    insta::assert_snapshot!(
        "page_with_timestamps",
        list.page_sql(&Page::first(5)).unwrap()
    );
}
