//! Indexes that queries use, and view tables that are divided, unlogged and packed otherwise.

use chrono::{DateTime, Utc};
use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::run;
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

fn model<V: TView>() -> ReadModel {
    ReadModel::builder().view::<V>().build().unwrap()
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
async fn every_kind_of_index_is_taken_by_the_query_it_is_for() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, ARTICLES).await;
    model::<Article>().migrate(&pool).await.unwrap();
    sync_all_articles(&pool).chunk(5000).await.unwrap();
    run(&pool, "VACUUM ANALYZE tv_article").await;
    // A write that is newer than all the others.
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
            // Another form of the word: the language is known.
            format!(
                "SELECT data FROM tv_article WHERE {words} @@ \
                 websearch_to_tsquery('english', 'word77 run house')"
            ),
            1,
        ),
        (
            "tv_article_title_body_search_idx",
            "",
            // As a person would write the same.
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
            // The other indexes of the column would serve as well.
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
    // Neither is published: the index does not have them.
    let report = sync_article(&pool, &[1, 3]).await.unwrap();
    assert_eq!(report.inserted, 2);
    let report = sync_article(&pool, &[2, 4]).await.unwrap();
    assert_eq!((report.inserted, report.invalid.len()), (1, 1));
    let reason = &report.invalid[0].reason;
    assert!(reason.contains("published_slugs"), "{reason}");
    // They take each other's.
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
async fn texts_that_are_null_do_not_hide_the_others() {
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

const COUNTERS: &str = "
CREATE TABLE boxes (id int8 PRIMARY KEY, label text NOT NULL);
CREATE TABLE counters (id int8 PRIMARY KEY, n int4 NOT NULL, box_id int8 NOT NULL REFERENCES boxes);
INSERT INTO boxes VALUES (1, 'one');
INSERT INTO counters SELECT n - 100, 0, 1 FROM generate_series(0, 299) AS n";

#[derive(Embed)]
#[tview(table = "boxes")]
#[allow(dead_code)]
struct Box_ {
    id: i64,
    label: String,
}

/// A view of the counters, in a module of its own.
macro_rules! counter_view {
    ($module:ident, $($attribute:tt)*) => {
        mod $module {
            #[derive(fraiseql_runtime::TView)]
            #[tview(table = "counters", view = "tv_counter", entity = "counter", $($attribute)*)]
            #[allow(dead_code)]
            pub(crate) struct Counter {
                pub(crate) id: i64,
                #[tview(sort)]
                pub(crate) n: i32,
                #[tview(one(fk = "box_id"))]
                pub(crate) container: super::Box_,
            }

            pub(crate) async fn check(pool: &sqlx::PgPool) {
                super::every_way_to_sync::<Counter>(pool).await;
            }
        }
    };
}

counter_view!(
    hashed,
    partition(hash = 8),
    index(on = "n, id", unique, name = "n_id")
);
counter_view!(
    ranged,
    partition(range = "-50, 0, 100"),
    unlogged,
    fillfactor = 70
);
counter_view!(whole, unlogged, fillfactor = 50);

async fn counters() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, COUNTERS).await;
    pool
}

/// Whether each document says what its row does, and each row has one.
async fn assert_equal_to_rows(pool: &PgPool) {
    let differing: Vec<i64> = sqlx::query_scalar(
        "SELECT coalesce(c.id, v.id) FROM counters AS c FULL JOIN tv_counter AS v USING (id)
         WHERE v.n IS DISTINCT FROM c.n OR (v.data ->> 'n')::int4 IS DISTINCT FROM c.n
            OR v.data -> 'container' ->> 'label' IS DISTINCT FROM
               (SELECT label FROM boxes WHERE id = c.box_id)",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(
        differing,
        Vec::<i64>::new(),
        "documents that differ from their rows"
    );
}

/// Full, by keys, in a transaction, deleted, orphaned; each checked against the rows.
async fn every_way_to_sync<V: TView<Key = i64>>(pool: &PgPool) {
    use fraiseql_runtime::sync::full::sync_all;
    use fraiseql_runtime::sync::{delete, sync};

    model::<V>().migrate(pool).await.unwrap();
    let report = sync_all::<V, _>(pool).chunk(70).await.unwrap();
    assert_eq!((report.inserted, report.total()), (300, 300));
    assert_equal_to_rows(pool).await;

    // On the pool: some changed, one new, one gone, one that never was.
    run(
        pool,
        "UPDATE counters SET n = 5 WHERE id IN (-100, 0, 150); DELETE FROM counters WHERE id = 7;
         INSERT INTO counters VALUES (5000, 1, 1)",
    )
    .await;
    let report = sync::<V>(pool, &[-100, 0, 150, 7, 5000, 8, 9999])
        .await
        .unwrap();
    let counts = |report: fraiseql_runtime::SyncReport| {
        [
            report.inserted,
            report.updated,
            report.unchanged,
            report.deleted,
        ]
    };
    assert_eq!(counts(report), [1, 3, 1, 1]);
    assert_equal_to_rows(pool).await;

    // In a transaction, which is seen as a whole or not at all.
    let mut transaction = pool.begin().await.unwrap();
    sqlx::raw_sql("UPDATE counters SET n = 6 WHERE id % 2 = 0 AND id < 200; DELETE FROM counters WHERE id = 9")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let keys: Vec<i64> = (-100..200).collect();
    let report = sync::<V>(&mut transaction, &keys).await.unwrap();
    assert_eq!(counts(report), [0, 150, 148, 1]);
    transaction.commit().await.unwrap();
    assert_equal_to_rows(pool).await;

    // Orphans that nobody named.
    run(pool, "DELETE FROM counters WHERE id BETWEEN 20 AND 29").await;
    let report = sync_all::<V, _>(pool).chunk(64).await.unwrap();
    assert_eq!(counts(report), [0, 0, 289, 10]);
    assert_equal_to_rows(pool).await;

    let report = delete::<V>(pool, &[-100, 100, 12_345]).await.unwrap();
    assert_eq!(report.deleted, 2);
    assert!(V::find(pool, 100).await.unwrap().is_none());
    assert_eq!(V::find_many(pool, &[150, -99]).await.unwrap().len(), 2);
    let report = sync::<V>(pool, &[-100, 100]).await.unwrap();
    assert_eq!(report.inserted, 2);

    concurrent_writers::<V>(pool).await;
    assert_equal_to_rows(pool).await;
    let report = sync_all::<V, _>(pool).await.unwrap();
    assert_eq!(report.unchanged, 289, "nothing was lost: {report}");
}

/// Two writers of the same rows on the pool, and one in transactions: documents in every
/// partition, each batch in another order.
async fn concurrent_writers<V: TView<Key = i64>>(pool: &PgPool) {
    use fraiseql_runtime::sync::sync;

    let tasks: Vec<_> = (0..3_i64)
        .map(|writer| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for round in 0..40_i64 {
                    let mut keys: Vec<i64> =
                        (0..12).map(|n| (n * 31 + round * 7) % 300 - 100).collect();
                    if writer == 1 {
                        keys.reverse();
                    }
                    // The writer's own lock order, so that only sync's is tested.
                    let change = "WITH locked AS MATERIALIZED (
                             SELECT id FROM counters WHERE id = ANY ($1) ORDER BY id FOR UPDATE)
                         UPDATE counters SET n = n + 1 FROM locked WHERE counters.id = locked.id";
                    if writer == 2 {
                        let mut transaction = pool.begin().await.unwrap();
                        sqlx::query(change)
                            .bind(&keys)
                            .execute(&mut *transaction)
                            .await
                            .unwrap();
                        sync::<V>(&mut transaction, &keys).await.unwrap();
                        transaction.commit().await.unwrap();
                    } else {
                        sqlx::query(change)
                            .bind(&keys)
                            .execute(&pool)
                            .await
                            .unwrap();
                        sync::<V>(&pool, &keys).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Name, whether unlogged, options and compression of each table of the view.
async fn tables(pool: &PgPool) -> Vec<(String, bool, Option<Vec<String>>, String)> {
    sqlx::query_as(
        "SELECT c.relname::text, c.relpersistence = 'u', c.reloptions, a.attcompression::text
         FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'data'
         WHERE c.relname ~ '^tv_counter' AND c.relkind IN ('r', 'p') ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_partitioned_by_hash_is_synced_in_every_way() {
    let pool = counters().await;
    hashed::check(&pool).await;
    let tables = tables(&pool).await;
    assert_eq!(tables.len(), 9);
    for (name, unlogged, options, _) in &tables {
        let expected = (name != "tv_counter").then(|| vec!["fillfactor=85".to_owned()]);
        assert_eq!((*unlogged, options), (false, &expected), "{name}");
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {name}")))
            .fetch_one(&pool)
            .await
            .unwrap();
        assert!(rows > 10, "{name} has {rows}");
    }
    // What is kept is what was asked for.
    let again = model::<hashed::Counter>().migrate(&pool).await.unwrap();
    assert_eq!(again, fraiseql_runtime::Migration::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_partitioned_by_range_is_synced_in_every_way() {
    let pool = counters().await;
    ranged::check(&pool).await;
    let tables = tables(&pool).await;
    let [parent, partitions @ ..] = tables.as_slice() else {
        panic!("there is a table");
    };
    assert_eq!((parent.1, &parent.2), (false, &None));
    assert_eq!(partitions.len(), 4);
    for (name, unlogged, options, compression) in partitions {
        assert!(unlogged, "{name}");
        assert_eq!(options, &Some(vec!["fillfactor=70".to_owned()]), "{name}");
        assert_eq!(compression, &parent.3, "{name}");
    }
    let bounds: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT tableoid::regclass::text, min(id), max(id) FROM tv_counter GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let named = |index: u8, min, max| (format!("tv_counter_p{index}"), min, max);
    assert_eq!(
        bounds,
        [
            named(0, -100, -51),
            named(1, -50, -1),
            named(2, 0, 99),
            named(3, 100, 5000)
        ]
    );
    let again = model::<ranged::Counter>().migrate(&pool).await.unwrap();
    assert_eq!(again, fraiseql_runtime::Migration::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlogged_table_is_synced_in_every_way() {
    let pool = counters().await;
    whole::check(&pool).await;
    let tables = tables(&pool).await;
    assert_eq!(tables.len(), 1);
    assert!(tables[0].1);
    assert_eq!(tables[0].2, Some(vec!["fillfactor=50".to_owned()]));
}

#[tokio::test]
async fn a_partition_that_was_detached_is_created_again() {
    let pool = counters().await;
    model::<ranged::Counter>().migrate(&pool).await.unwrap();
    run(&pool, "DROP TABLE tv_counter_p2").await;
    let report = ranged::sync_counter(&pool, &[5]).await.unwrap();
    assert_eq!(
        report.invalid[0].reason,
        "no partition of relation \"tv_counter\" found for row"
    );
    let migration = model::<ranged::Counter>().migrate(&pool).await.unwrap();
    assert_eq!(
        migration.created,
        [r#"partition "public"."tv_counter_p2" of "public"."tv_counter""#]
    );
    assert_eq!(ranged::sync_counter(&pool, &[5]).await.unwrap().inserted, 1);
}

#[tokio::test]
async fn a_table_that_is_kept_otherwise_is_left_with_the_statement_that_repairs_it() {
    let pool = counters().await;
    model::<whole::Counter>().migrate(&pool).await.unwrap();

    // Unlogged and fillfactor go with one statement each, and it is right.
    run(
        &pool,
        "ALTER TABLE tv_counter SET LOGGED; ALTER TABLE tv_counter SET (fillfactor = 100)",
    )
    .await;
    let left = model::<whole::Counter>()
        .migrate(&pool)
        .await
        .unwrap()
        .left_over;
    let remedies: Vec<&str> = left.iter().map(|left| left.remedy.as_str()).collect();
    assert_eq!(
        remedies,
        [
            r#"ALTER TABLE "public"."tv_counter" SET UNLOGGED"#,
            r#"ALTER TABLE "public"."tv_counter" SET (fillfactor = 50)"#,
        ]
    );
    repair(&pool, &left).await;
    let again = model::<whole::Counter>().migrate(&pool).await.unwrap();
    assert_eq!(again, fraiseql_runtime::Migration::default());

    // One table, where there should be partitions: built anew.
    whole::sync_all_counters(&pool).await.unwrap();
    let left = model::<hashed::Counter>()
        .migrate(&pool)
        .await
        .unwrap()
        .left_over;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(
        left[0]
            .why
            .contains("it is one table, and the struct's is partitioned by HASH"),
        "{}",
        left[0]
    );
    repair(&pool, &left).await;
    let migration = model::<hashed::Counter>().migrate(&pool).await.unwrap();
    assert_eq!(migration.left_over, []);
    assert_eq!(migration.created.len(), 11, "{migration}");
    hashed::sync_all_counters(&pool).await.unwrap();
    assert_equal_to_rows(&pool).await;

    // And from hash to range, and from other bounds.
    let left = model::<ranged::Counter>()
        .migrate(&pool)
        .await
        .unwrap()
        .left_over;
    assert!(
        left.iter().any(|left| left
            .why
            .contains("it is partitioned by HASH, and the struct's is partitioned by RANGE")),
        "{left:?}"
    );
    repair(&pool, &left).await;
    run(
        &pool,
        "CREATE TABLE tv_counter (id int8 PRIMARY KEY, n int4, data jsonb NOT NULL, version int8
             NOT NULL, synced_xid xid8 NOT NULL, updated_at timestamptz NOT NULL)
             PARTITION BY RANGE (id);
         CREATE TABLE tv_counter_all PARTITION OF tv_counter FOR VALUES FROM (-1000) TO (1000)",
    )
    .await;
    let left = model::<ranged::Counter>()
        .migrate(&pool)
        .await
        .unwrap()
        .left_over;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].why.contains("into other partitions"), "{}", left[0]);
}

/// Runs the remedies, as a person would.
async fn repair(pool: &PgPool, left: &[fraiseql_runtime::LeftOver]) {
    for left in left {
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(left.remedy.clone()))
            .execute(pool)
            .await
        {
            panic!("{error}: {left}");
        }
    }
}
