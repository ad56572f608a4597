//! Tests of filters by the values of lists, which a GIN index serves.

use fraiseql_runtime::list::{Filter, FilterOf, List, Operator, OrderBy, Page};
use fraiseql_runtime::scalar::ListValue;
use fraiseql_runtime::{ReadModel, TEnum, TScalar, TView};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::keys;

const TABLES: &str = "
CREATE TABLE tb_item (
    id int8 PRIMARY KEY, tags text[], numbers int4[] NOT NULL, sizes int8[] NOT NULL, owners uuid[] NOT NULL,
    states text[] NOT NULL, labels text[] NOT NULL, rank int4);
INSERT INTO tb_item
    SELECT n,
        CASE WHEN n % 5 > 0 THEN ARRAY['tag ' || n % 400, 'tag ' || n % 300, NULL, 'all'] END,
        ARRAY[n % 500, -n], ARRAY[n::int8 << 32], ARRAY[lpad((n % 600)::text, 32, '0')::uuid],
        CASE WHEN n % 700 = 0 THEN ARRAY['OPEN', 'DONE'] ELSE ARRAY['DONE'] END, ARRAY['label ' || n % 900],
        nullif(n % 50, 0)
    FROM generate_series(1, 20000) AS n;
CREATE INDEX tb_item_tags ON tb_item USING gin (tags);
ANALYZE tb_item;
";

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
enum State {
    Open,
    Done,
}

#[derive(Debug, TScalar)]
struct Labels(Vec<String>);

impl ListValue for Labels {
    type Element = String;
}

macro_rules! items {
    ($($name:ident $storage:literal $entity:literal;)*) => {$(
        #[derive(Debug, TView)]
        #[tview(table = "tb_item", storage = $storage, entity = $entity)]
        #[allow(dead_code)]
        struct $name {
            id: i64,
            #[tview(filter)]
            tags: Option<Vec<Option<String>>>,
            #[tview(filter)]
            numbers: Vec<i32>,
            #[tview(filter)]
            sizes: Vec<i64>,
            #[tview(filter)]
            owners: Vec<Uuid>,
            #[tview(filter)]
            states: Vec<State>,
            #[tview(filter)]
            labels: Labels,
            #[tview(sort)]
            rank: Option<i32>,
        }
    )*};
}

items! {
    Item "table" "item";
    LiveItem "live" "live_item";
    OldItem "matview" "old_item";
}

async fn items() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = ReadModel::builder()
        .view::<Item>()
        .view::<LiveItem>()
        .view::<OldItem>()
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    sync_all_items(&pool).await.unwrap();
    model.refresh::<OldItem>(&pool).await.unwrap();
    // Not all at once: VACUUM cannot run in a transaction. It merges what was written last into a GIN index.
    for vacuum in ["VACUUM ANALYZE tv_item", "VACUUM ANALYZE tv_old_item"] {
        sqlx::query(vacuum).execute(&pool).await.unwrap();
    }
    pool
}

/// The keys of the rows that meet a condition.
async fn rows(condition: &str, pool: &PgPool) -> Vec<i64> {
    let sql = format!("SELECT id FROM tb_item WHERE {condition} ORDER BY id");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn ids(list: &List, pool: &PgPool) -> Vec<i64> {
    let list = list.clone().only(["id"]);
    let documents = list.read(pool).await.unwrap();
    let id = |json: &[u8]| {
        let document: serde_json::Value = serde_json::from_slice(json).unwrap();
        document["id"].as_i64().unwrap()
    };
    documents.iter().map(|it| id(it.json())).collect()
}

/// Filters of a view, with the condition of the base table and the column whose index is used.
macro_rules! cases {
    ($view:ident) => {{
        let owner = |n: u32| Uuid::parse_str(&format!("{n:0>32}")).unwrap();
        let cases: Vec<(FilterOf<$view>, &str, &str)> = vec![
            ($view::TAGS.contains(["tag 7"]), "tags @> '{tag 7}'", "tags"),
            (
                $view::TAGS.contains(["tag 7", "tag 107"]),
                "tags @> '{tag 7, tag 107}'",
                "tags",
            ),
            (
                $view::TAGS.has_any(["tag 7", "none", "tag 12"]),
                "tags && '{tag 7, none, tag 12}'",
                "tags",
            ),
            ($view::NUMBERS.contains([7]), "numbers @> '{7}'", "numbers"),
            (
                $view::NUMBERS.has_any([-8, 9]),
                "numbers && '{-8, 9}'",
                "numbers",
            ),
            (
                $view::NUMBERS.eq([7, -1507]),
                "numbers = '{7, -1507}'",
                "numbers",
            ),
            (
                $view::SIZES.has_any([1_i64 << 32, 5 << 32]),
                "sizes && ARRAY[1::int8 << 32, 5::int8 << 32]",
                "sizes",
            ),
            (
                $view::OWNERS.contains([owner(11)]),
                "owners @> ARRAY[lpad('11', 32, '0')::uuid]",
                "owners",
            ),
            (
                $view::STATES.contains([State::Open]),
                "states @> '{OPEN}'",
                "states",
            ),
            (
                $view::LABELS.has_any(["label 3", "label 5"]),
                "labels && '{label 3, label 5}'",
                "labels",
            ),
        ];
        cases
    }};
}

#[tokio::test]
async fn lists_are_found_by_the_index_of_their_values() {
    let pool = items().await;
    for (filter, condition, column) in cases!(Item) {
        let list = Item::list().filter(filter).of_any_view();
        let plan = list.explain(&pool).await.unwrap();
        let index = format!("Bitmap Index Scan on tv_item_{column}_idx");
        assert!(plan.contains(&index), "{condition}: {plan}");
        let expected = rows(condition, &pool).await;
        assert!(!expected.is_empty() && expected.len() < 500, "{condition}");
        assert_eq!(ids(&list, &pool).await, expected, "{condition}");
        assert_eq!(list.count(&pool).await.unwrap(), expected.len() as u64);
    }
    for (filter, condition, column) in cases!(OldItem) {
        let list = OldItem::list().filter(filter).of_any_view();
        let plan = list.explain(&pool).await.unwrap();
        let index = format!("Bitmap Index Scan on tv_old_item_{column}_idx");
        assert!(plan.contains(&index), "{condition}: {plan}");
        assert_eq!(ids(&list, &pool).await, rows(condition, &pool).await);
    }
    for (filter, condition, column) in cases!(LiveItem) {
        let list = LiveItem::list().filter(filter).of_any_view();
        let plan = list.explain(&pool).await.unwrap();
        // That of the base table, if there is one.
        let has_index = column == "tags";
        let is_used = plan.contains("Bitmap Index Scan on tb_item_tags");
        assert_eq!(is_used, has_index, "{condition}: {plan}");
        assert_eq!(ids(&list, &pool).await, rows(condition, &pool).await);
    }
}

#[tokio::test]
async fn a_generic_plan_uses_the_index() {
    fraiseql_tests::needs_sessions();
    let pool = items().await;
    let mut connection = pool.acquire().await.unwrap();
    for filter in [
        Item::TAGS.contains(["tag 7"]),
        Item::TAGS.has_any(["tag 7", "tag 8"]),
    ] {
        let list = Item::list().filter(filter);
        list.read(&mut connection).await.unwrap();
    }
    sqlx::query("SET plan_cache_mode = force_generic_plan")
        .execute(&mut *connection)
        .await
        .unwrap();
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pg_prepared_statements WHERE statement LIKE E'SELECT\\n%tv_item%OPERATOR%'",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    assert_eq!(names.len(), 2);
    for name in names {
        let sql = format!("EXPLAIN EXECUTE {name} (NULL)");
        let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("$1"), "{plan}");
        assert!(
            plan.contains("Bitmap Index Scan on tv_item_tags_idx"),
            "{plan}"
        );
    }
}

#[tokio::test]
async fn pages_of_such_lists_are_walked_in_every_order() {
    let pool = items().await;
    let wanted = Item::TAGS
        .has_any(["tag 7", "tag 8"])
        .and(Item::NUMBERS.has_any(1..400));
    let sql = "tags && '{tag 7, tag 8}' AND (id % 500) BETWEEN 1 AND 399";
    for (order, of_sql) in [
        (None, "id"),
        (Some(OrderBy::desc("id")), "id DESC"),
        (Some(OrderBy::asc("rank")), "rank, id"),
        (Some(OrderBy::desc("rank")), "rank DESC, id DESC"),
    ] {
        let list = Item::list().filter(wanted.clone());
        let list = order.into_iter().fold(list, List::order_by);
        let sql = format!("SELECT id FROM tb_item WHERE {sql} ORDER BY {of_sql}");
        let expected: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_all(&pool)
            .await
            .unwrap();
        let mut walked = Vec::new();
        let mut cursor = None;
        loop {
            let page = list
                .page(Page::first(17).after(cursor), &pool)
                .await
                .unwrap();
            walked.extend(keys(&page));
            cursor = page.end().cloned();
            if !page.has_next() {
                break;
            }
        }
        assert!(expected.len() > 100);
        assert_eq!(walked, expected, "{of_sql}");
        let back = list.page(Page::last(9), &pool).await.unwrap();
        assert_eq!(keys(&back), expected[expected.len() - 9..], "{of_sql}");
    }
}

#[tokio::test]
async fn nulls_and_empty_lists_are_as_in_sql() {
    let pool = items().await;
    let count = async |filter: FilterOf<Item>| {
        let list = Item::list().filter(filter);
        list.count(&pool).await.unwrap()
    };
    let none: [&str; 0] = [];
    assert_eq!(count(Item::TAGS.contains(none)).await, 16_000);
    assert_eq!(count(Item::TAGS.has_any(none)).await, 0);
    assert_eq!(count(!Item::TAGS.contains(none)).await, 0);
    assert_eq!(count(!Item::TAGS.has_any(none)).await, 16_000);
    assert_eq!(count(Item::TAGS.contains(["all"])).await, 16_000);
    assert_eq!(count(Item::TAGS.is_null()).await, 4_000);
    assert_eq!(count(!Item::TAGS.has_any(["all"])).await, 0);
    // A null in a list is equal to nothing, also not to the text.
    assert_eq!(count(Item::TAGS.has_any(["NULL", "null"])).await, 0);
}

/// The extension `intarray` has operators of these names for `int4[]`, which refuse nulls and have no index.
#[tokio::test]
async fn operators_of_the_same_name_are_not_called() {
    let pool = items().await;
    fraiseql_tests::run(
        &pool,
        "CREATE FUNCTION refuse(int4[], int4[]) RETURNS boolean LANGUAGE plpgsql
            AS 'BEGIN RAISE ''called''; END';
         CREATE OPERATOR @> (FUNCTION = refuse, LEFTARG = int4[], RIGHTARG = int4[]);
         CREATE OPERATOR && (FUNCTION = refuse, LEFTARG = int4[], RIGHTARG = int4[])",
    )
    .await;
    for filter in [Item::NUMBERS.contains([7]), Item::NUMBERS.has_any([7, -8])] {
        let list = Item::list().filter(filter);
        let plan = list.explain(&pool).await.unwrap();
        assert!(plan.contains("tv_item_numbers_idx"), "{plan}");
        assert!(list.count(&pool).await.unwrap() >= 40);
    }
}

#[tokio::test]
async fn values_that_no_list_has_are_errors() {
    let pool = items().await;
    for (field, operator, value, expected) in [
        (
            "tags",
            Operator::Contains,
            json!("a"),
            "`tags` cannot be compared with \"a\": expected a list in which each value is a text",
        ),
        (
            "tags",
            Operator::HasAny,
            json!(["a", null]),
            "`tags` cannot be compared with null: expected a text of at most 10000 bytes without U+0000; a null is \
             equal to no value, so leave it out",
        ),
        (
            "numbers",
            Operator::Contains,
            json!([7, "x"]),
            "`numbers` cannot be compared with \"x\": expected a whole number",
        ),
        (
            "states",
            Operator::HasAny,
            json!(["CLOSED"]),
            "`states` cannot be compared with \"CLOSED\": expected one of `OPEN`, `DONE`",
        ),
        (
            "rank",
            Operator::Contains,
            json!([1]),
            "`rank` does not have the operator `contains`; its operators are `eq`, `ne`, `in`",
        ),
        (
            "tags",
            Operator::In,
            json!([["a"]]),
            "`tags` does not have the operator `in`; its operators are `eq`, `ne`, `contains`, `hasAny`, `isNull`",
        ),
    ] {
        let list = Item::list().filter(Filter::compare(field, operator, value));
        let error = list.count(&pool).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
