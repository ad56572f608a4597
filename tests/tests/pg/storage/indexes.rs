//! Tests that each kind of index is used by the query it is for.

use chrono::{DateTime, Utc};
use fraiseql_runtime::{Embed, TView};
use fraiseql_tests::run;
use fraiseql_tests::world::model;
use sqlx::{AssertSqlSafe, PgPool};

const ARTICLES: &str = "
CREATE TABLE writers (id int4 PRIMARY KEY, full_name text NOT NULL, about text);
INSERT INTO writers SELECT n, 'Writer ' || n, 'writes of rivers ' || n FROM generate_series(1, 50) AS n;
CREATE TABLE articles (id int8 PRIMARY KEY, writer_id int4 NOT NULL, slug text NOT NULL,
    title text NOT NULL, body text NOT NULL, tags text[] NOT NULL, meta jsonb NOT NULL,
    published boolean NOT NULL, created_at timestamptz NOT NULL);
INSERT INTO articles
SELECT n, n % 50 + 1, 'article-' || n, 'Title ' || n, 'word' || n || ' running through houses',
    ARRAY['tag' || n % 500, 'all'], jsonb_build_object('lang', jsonb_build_object('code', 'l' || n)),
    n % 2 = 0, '2026-01-01'::timestamptz + n * interval '1 minute'
FROM generate_series(1, 20000) AS n";

#[derive(Embed)]
#[tview(table = "writers")]
#[allow(dead_code)]
struct Writer {
    id: i32,
    full_name: String,
    about: Option<String>,
}

#[derive(TView)]
#[tview(
    table = "articles",
    index(on = "writer_id, created_at DESC"),
    index(on = "slug", unique, filter = "published", name = "published_slugs"),
    index(expr = "lower(title)"),
    index(expr = "upper(title)", unique, name = "upper_titles"),
    index(gin),
    index(gin = "tags"),
    index(gin = "meta.lang"),
    index(gin = "writer.fullName"),
    index(fulltext = "title, body", language = "english"),
    index(fulltext = "writer.about"),
    index(on = "created_at", using = "brin", name = "article_days"),
    index(on = "slug", using = "hash", name = "article_hash"),
    index(on = "title", include = "slug", name = "article_slugs"),
    index(on = "updated_at DESC, id")
)]
#[allow(dead_code, clippy::duplicated_attributes)]
struct Article {
    id: i64,
    #[tview(filter)]
    writer_id: i32,
    #[tview(filter)]
    slug: String,
    #[tview(sort)]
    title: String,
    body: String,
    tags: Vec<String>,
    meta: serde_json::Value,
    #[tview(filter)]
    published: bool,
    #[tview(sort)]
    created_at: DateTime<Utc>,
    #[tview(one(fk = "writer_id"))]
    writer: Writer,
}

/// The plan of a query, with settings before it.
async fn plan(pool: &PgPool, settings: &'static str, query: &str) -> String {
    let mut transaction = pool.begin().await.unwrap();
    sqlx::raw_sql(settings)
        .execute(&mut *transaction)
        .await
        .unwrap();
    let lines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN {query}")))
        .fetch_all(&mut *transaction)
        .await
        .unwrap_or_else(|error| panic!("{error}: {query}"));
    lines.join("\n")
}

#[tokio::test]
async fn every_kind_of_index_is_used_by_the_query_it_is_for() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, ARTICLES).await;
    model::<Article>().migrate(&pool).await.unwrap();
    sync_all_articles(&pool).chunk(5000).await.unwrap();
    run(&pool, "VACUUM ANALYZE tv_article").await;
    // A document that is newer than all others.
    run(
        &pool,
        "UPDATE tv_article SET updated_at = now() + interval '1 day' WHERE id = 77",
    )
    .await;
    let ddl = &Article::statements().ddl;
    let words = &ddl
        .index("tv_article_title_body_search_idx")
        .unwrap()
        .expression;
    let about = &ddl
        .index("tv_article_writer_about_search_idx")
        .unwrap()
        .expression;
    let no_scans = "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off";
    let cases: [(&str, &str, String, i64); 15] = [
        (
            "tv_article_writer_id_created_at_idx",
            "",
            "SELECT data FROM tv_article WHERE writer_id = 8 ORDER BY created_at DESC LIMIT 10"
                .into(),
            10,
        ),
        (
            "published_slugs",
            "",
            "SELECT data FROM tv_article WHERE published ORDER BY slug LIMIT 10".into(),
            10,
        ),
        (
            "tv_article_lower_title_idx",
            "",
            "SELECT data FROM tv_article WHERE lower(title) = 'title 77'".into(),
            1,
        ),
        (
            "upper_titles",
            "",
            "SELECT data FROM tv_article WHERE upper(title) = 'TITLE 77'".into(),
            1,
        ),
        (
            "tv_article_data_idx",
            "",
            r#"SELECT data FROM tv_article WHERE data @> '{"slug": "article-77"}'"#.into(),
            1,
        ),
        (
            "tv_article_tags_idx",
            "",
            r#"SELECT data FROM tv_article WHERE data -> 'tags' @> '["tag77"]'"#.into(),
            40,
        ),
        (
            "tv_article_meta_lang_idx",
            "",
            r#"SELECT data FROM tv_article WHERE data -> 'meta' -> 'lang' @> '{"code": "l77"}'"#
                .into(),
            1,
        ),
        (
            "tv_article_writer_fullName_idx",
            "",
            r#"SELECT data FROM tv_article WHERE data -> 'writer' -> 'fullName' @> '"Writer 7"'"#
                .into(),
            400,
        ),
        (
            "tv_article_title_body_search_idx",
            "",
            // Another inflection of the word is found: the language of the index is used.
            format!(
                "SELECT data FROM tv_article WHERE {words} @@ \
                 websearch_to_tsquery('english', 'word77 run house')"
            ),
            1,
        ),
        (
            "tv_article_title_body_search_idx",
            "",
            // The query as written by hand.
            "SELECT data FROM tv_article WHERE to_tsvector('english', coalesce(title, '') || ' ' \
             || coalesce(data->>'body', '')) @@ to_tsquery('english', 'word78')"
                .into(),
            1,
        ),
        (
            "tv_article_writer_about_search_idx",
            "",
            format!("SELECT data FROM tv_article WHERE {about} @@ to_tsquery('simple', '7')"),
            400,
        ),
        (
            "article_days",
            no_scans,
            "SELECT data FROM tv_article WHERE created_at BETWEEN '2026-01-02' AND '2026-01-09'"
                .into(),
            10_081,
        ),
        (
            "article_hash",
            "",
            "SELECT data FROM tv_article WHERE slug = 'article-77'".into(),
            1,
        ),
        (
            "Index Only Scan using article_slugs",
            "",
            "SELECT slug FROM tv_article WHERE title = 'Title 78'".into(),
            1,
        ),
        (
            "tv_article_updated_at_id_idx",
            "",
            "SELECT data FROM tv_article WHERE updated_at > now() + interval '1 hour'".into(),
            1,
        ),
    ];
    let mut failures = String::new();
    for (index, settings, query, expected) in cases {
        if index == "article_days" {
            // The other indexes of the column would be used as well.
            run(&pool, "DROP INDEX tv_article_created_at_idx").await;
        }
        let plan = plan(&pool, settings, &query).await;
        if !plan.contains(index) {
            failures.push_str(&format!("{index} is not taken by\n{query}\n{plan}\n\n"));
        }
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT count(*) FROM ({query}) AS found"
        )))
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(rows, expected, "{query}");
    }
    assert!(failures.is_empty(), "{failures}");
}

#[tokio::test]
async fn unique_indexes_refuse_a_second_document() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, ARTICLES).await;
    model::<Article>().migrate(&pool).await.unwrap();
    run(
        &pool,
        "UPDATE articles SET slug = 'same' WHERE id IN (1, 3);
         UPDATE articles SET slug = 'twice' WHERE id IN (2, 4)",
    )
    .await;
    // Neither is published, so the partial index does not contain them.
    let report = sync_article(&pool, &[1, 3]).await.unwrap();
    assert_eq!(report.inserted, 2);
    let report = sync_article(&pool, &[2, 4]).await.unwrap();
    assert_eq!((report.inserted, report.invalid.len()), (1, 1));
    let reason = &report.invalid[0].reason;
    assert!(reason.contains("published_slugs"), "{reason}");
    // They exchange their values.
    run(&pool, "UPDATE articles SET slug = 'other' WHERE id = 4").await;
    assert_eq!(sync_article(&pool, &[2, 4]).await.unwrap().invalid, []);
    run(
        &pool,
        "UPDATE articles SET slug = CASE id WHEN 2 THEN 'other' ELSE 'twice' END WHERE id IN (2, 4)",
    )
    .await;
    let report = sync_article(&pool, &[2, 4]).await.unwrap();
    assert_eq!((report.updated, report.invalid.len()), (2, 0));
}

#[tokio::test]
async fn full_text_search_ignores_fields_that_are_null() {
    #[derive(TView)]
    #[tview(table = "pages", index(fulltext = "head, body", name = "page_words"))]
    #[allow(dead_code)]
    struct Page {
        id: i32,
        #[tview(filter)]
        head: Option<String>,
        body: Option<String>,
    }
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE pages (id int4 PRIMARY KEY, head text, body text);
         INSERT INTO pages VALUES (1, 'alpha', NULL), (2, NULL, 'Alpha'), (3, 'beta', 'gamma')",
    )
    .await;
    model::<Page>().migrate(&pool).await.unwrap();
    sync_all_pages(&pool).await.unwrap();
    let words = Page::statements().ddl.index("page_words").unwrap();
    let found: Vec<i32> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT id FROM tv_page WHERE {} @@ to_tsquery('simple', 'alpha') ORDER BY id",
        words.expression
    )))
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(found, [1, 2]);
}
