//! GIN indexes serve filters by what is within documents.

use fraiseql_runtime::TView;
use fraiseql_runtime::list::{Filter, List, Operator};
use serde_json::json;
use sqlx::PgPool;

use super::{Entry, OldPost, Post, ids, posts};

/// Filters, and the field whose index serves them.
fn filters() -> Vec<(Filter, &'static str)> {
    let by_author = Filter::eq("id", 7);
    vec![
        (Filter::some("notes", Filter::eq("rating", -3)), "notes"),
        (
            Filter::some("notes", Filter::eq("text", "a\"b\\c")),
            "notes",
        ),
        (
            Filter::some(
                "notes",
                Filter::all([
                    Filter::compare("state", Operator::In, json!(["OPEN"])),
                    Filter::compare("rating", Operator::Gte, 2),
                    Filter::is("author", by_author.clone()),
                ]),
            ),
            "notes",
        ),
        (
            Filter::some(
                "notes",
                Filter::any([
                    Filter::compare("tags", Operator::Contains, json!(["x", "y"])),
                    Filter::compare(
                        "uid2",
                        Operator::In,
                        json!(["aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaa17"]),
                    ),
                ]),
            ),
            "notes",
        ),
        (Filter::is("author", by_author.clone()), "author"),
        (Filter::is("editor", by_author), "editor"),
        (
            Filter::at("attributes", ["size", "width"], Operator::Eq, 30),
            "attributes",
        ),
        (
            Filter::at(
                "attributes",
                ["color"],
                Operator::In,
                json!(["red", "blue"]),
            ),
            "attributes",
        ),
        (
            Filter::compare("attributes", Operator::Contains, json!({"color": "red"})),
            "attributes",
        ),
        (Filter::search("\"quiet day\" 7"), "title_body_search"),
    ]
}

/// Plans as of many documents.
async fn without_seq_scans(pool: &PgPool) -> sqlx::pool::PoolConnection<sqlx::Postgres> {
    let mut connection = pool.acquire().await.unwrap();
    sqlx::query("SET enable_seqscan = off")
        .execute(&mut *connection)
        .await
        .unwrap();
    connection
}

#[tokio::test]
async fn each_filter_is_served_by_an_index() {
    fraiseql_tests::needs_sessions();
    let pool = posts().await;
    let mut connection = without_seq_scans(&pool).await;
    let is_search = |field: &str| field.ends_with("search");
    for (filter, field) in filters() {
        let own = format!("tv_entry_{field}_idx");
        let of_post = match is_search(field) {
            true => "tv_post_title_body_search_idx",
            false => "tv_post_data_idx",
        };
        let of_old = match field {
            "notes" => "tv_old_post_notes_idx",
            _ if is_search(field) => "tv_old_post_title_body_search_idx",
            _ => "tv_old_post_data_idx",
        };
        let lists: [(List, &str); 3] = [
            (Entry::list().filter(filter.clone()).of_any_view(), &own),
            (Post::list().filter(filter.clone()).of_any_view(), of_post),
            (OldPost::list().filter(filter.clone()).of_any_view(), of_old),
        ];
        for (list, index) in lists {
            let plan = list.explain(&mut *connection).await.unwrap();
            let scan = format!("Bitmap Index Scan on {index}");
            assert!(plan.contains(&scan), "{filter:?}: {plan}");
            let found = ids(&list, &pool).await;
            assert!(
                !found.is_empty() && found.len() < 200,
                "{filter:?}: {found:?}"
            );
        }
    }
}

/// The values are in a parameter: the statement is prepared once.
#[tokio::test]
async fn a_generic_plan_uses_the_index() {
    fraiseql_tests::needs_sessions();
    let pool = posts().await;
    let mut connection = without_seq_scans(&pool).await;
    for rating in [1, -3] {
        let list = Entry::list().filter(Filter::some("notes", Filter::eq("rating", rating)));
        list.read(&mut *connection).await.unwrap();
    }
    sqlx::query("SET plan_cache_mode = force_generic_plan")
        .execute(&mut *connection)
        .await
        .unwrap();
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pg_prepared_statements WHERE statement LIKE E'SELECT\\n%tv_entry%jsonpath%'",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    assert_eq!(names.len(), 1);
    let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "EXPLAIN EXECUTE {} ('$')",
        names[0]
    )))
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("$1"), "{plan}");
    assert!(
        plan.contains("Bitmap Index Scan on tv_entry_notes_idx"),
        "{plan}"
    );
}

#[tokio::test]
async fn the_statement_is_the_same_for_other_filters_of_a_part() {
    let sql = |filter: Filter| {
        Entry::list()
            .filter(Filter::some("notes", filter))
            .sql()
            .unwrap()
    };
    let one = sql(Filter::eq("rating", 1));
    insta::assert_snapshot!(one);
    let other = Filter::any([
        Filter::eq("text", "x"),
        Filter::not(Filter::eq("rating", 3)),
    ]);
    assert_eq!(sql(other), one);
    let search = Post::list().filter(Filter::search("a")).sql().unwrap();
    insta::assert_snapshot!(search);
}

#[derive(TView)]
#[tview(
    table = "tb_post",
    entity = "news",
    index(fulltext = "title", language = "english"),
    index(fulltext = "body", language = "simple"),
    index(fulltext = "title, body", name = "news_of_both"),
    index(fulltext = "title", filter = "rank > 3", name = "ranked")
)]
#[allow(dead_code, clippy::duplicated_attributes)]
struct News {
    id: i64,
    title: String,
    body: Option<String>,
    #[tview(sort)]
    rank: Option<i32>,
}

#[tokio::test]
async fn searches_have_the_names_of_their_indexes() {
    let pool = posts().await;
    fraiseql_tests::world::model::<News>()
        .migrate(&pool)
        .await
        .unwrap();
    sync_all_newses(&pool).await.unwrap();
    // Not that of a partial index, which does not have all documents.
    assert_eq!(
        fraiseql_runtime::list::searches(News::VIEW),
        ["search", "searchBody", "searchNewsOfBoth"]
    );
    let count = async |filter| News::list().filter(filter).count(&pool).await.unwrap();
    let sql = async |condition: &str| super::rows(condition, &pool).await.len() as u64;
    let stemmed = count(Filter::search("run")).await;
    assert_eq!(stemmed, count(Filter::search_in("search", "run")).await);
    assert_eq!(stemmed, sql("title LIKE 'Running%'").await);
    // Without a language, words are not stemmed.
    assert_eq!(
        count(Filter::search_in("searchBody", "run")).await,
        sql("body = 'cats run'").await
    );
    assert_eq!(count(Filter::search_in("searchBody", "cat")).await, 0);
    assert_eq!(
        count(Filter::search_in("searchNewsOfBoth", "rust javascript")).await,
        sql("title LIKE 'Rust%' AND body = 'javascript'").await
    );
}
