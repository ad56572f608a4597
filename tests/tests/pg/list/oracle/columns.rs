//! Tests that what is written from columns is what is written from documents, byte for byte: random selections of
//! fields of every type, in any session.

use std::sync::Arc;

use fraiseql_runtime::__graphql::KeptStatement;
use fraiseql_runtime::list::{List, OrderBy, Page};
use fraiseql_runtime::schema::Shape;
use fraiseql_runtime::select::Selection;
use fraiseql_runtime::{Projection, ReadModel, TView};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row};

use super::things::{
    Chance, LiveThing, MatTextThing, MatThing, TextThing, Thing, insert, row, sync_all_text_things,
    sync_thing,
};

/// Fields that are not read from columns: PostgreSQL may write other digits of a float.
const FLOATS: [&str; 4] = ["single", "double", "singleOr", "doubleOr"];

async fn things() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, super::TABLES).await;
    let model = ReadModel::builder()
        .view::<Thing>()
        .view::<LiveThing>()
        .view::<MatThing>()
        .view::<TextThing>()
        .view::<MatTextThing>()
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    let mut chance = Chance(23);
    let rows: Vec<_> = (1..=60).map(|id| row(id, &mut chance)).collect();
    insert(&pool, &rows).await;
    // Every character that JSON escapes, and some that it does not.
    fraiseql_tests::run(
        &pool,
        "UPDATE tb_thing SET name = (SELECT string_agg(chr(n), '') FROM generate_series(1, 300) AS n),
                             tags = ARRAY[chr(9) || '\"', '\\', 'NULL', 'é, {']
         WHERE id < 9",
    )
    .await;
    sync_thing(&pool, &(1..9).collect::<Vec<i64>>())
        .await
        .unwrap();
    sync_all_text_things(&pool).await.unwrap();
    model.refresh::<MatThing>(&pool).await.unwrap();
    model.refresh::<MatTextThing>(&pool).await.unwrap();
    pool
}

fn lists() -> [List; 5] {
    [
        Thing::list().of_any_view(),
        TextThing::list().of_any_view(),
        MatThing::list().of_any_view(),
        MatTextThing::list().of_any_view(),
        LiveThing::list().of_any_view(),
    ]
}

/// Some fields, and their selection with aliases.
fn selection(shape: &'static Shape, chance: &mut Chance) -> (Vec<&'static str>, Selection) {
    let size = chance.below(7);
    let all: Vec<&'static str> = shape.shown_fields().map(|field| field.json).collect();
    let mut fields = vec![chance.one(&all)];
    let mut text = format!("{{ __typename {} ", fields[0]);
    for index in 0..size {
        let field = chance.one(&all);
        fields.push(field);
        text.push_str(&match chance.below(2) {
            0 => format!("{field} "),
            _ => format!("a{index}: {field} "),
        });
    }
    (fields, format!("{text}}}").parse().unwrap())
}

async fn written(list: &List, projection: &Projection, session: &mut PgConnection) -> Vec<String> {
    let written = |json: &[u8]| {
        let mut out = Vec::new();
        projection.write(json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let documents = list.read(&mut *session).await.unwrap();
    let mut all: Vec<_> = documents.iter().map(|it| written(it.json())).collect();
    let mut page = list.page(Page::first(13), &mut *session).await.unwrap();
    loop {
        all.extend(
            page.items()
                .map(|(cursor, it)| format!("{cursor} {}", written(it.json()))),
        );
        if !page.has_next() {
            return all;
        }
        let next = Page::first(31).after(page.end().cloned());
        page = list.page(next, &mut *session).await.unwrap();
    }
}

#[tokio::test]
async fn columns_give_the_bytes_of_documents_in_any_session() {
    let pool = things().await;
    let mut session = pool.acquire().await.unwrap();
    let mut chance = Chance(29);
    let mut from_columns = 0;
    for round in 0..200 {
        if round % 20 == 0 {
            let settings = [
                "SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'German'",
                "SET TimeZone = 'America/New_York'; SET extra_float_digits = 0",
                "RESET ALL",
            ];
            sqlx::raw_sql(chance.one(&settings))
                .execute(&mut *session)
                .await
                .unwrap();
        }
        let shape = Thing::VIEW.shape;
        let (fields, selection) = selection(shape, &mut chance);
        let order = chance.one(&["id", "name", "seenOr", "amountOr", "medium"]);
        let order = chance.one(&[OrderBy::asc(order), OrderBy::desc(order)]);
        for list in lists() {
            let list = list.order_by(order.clone());
            let only = list.clone().only(fields.iter().copied());
            let reads_data = only.sql().unwrap().contains(".data");
            let is_live = only.sql().unwrap().contains("tb_thing\" AS");
            let has_float = fields.iter().any(|field| FLOATS.contains(field));
            assert_eq!(reads_data, is_live || has_float, "{fields:?}");
            from_columns += usize::from(!reads_data);
            let projection = Projection::of_shape(shape, &selection).unwrap();
            let expected = written(&list, &projection, &mut session).await;
            let found = written(&only, &projection, &mut session).await;
            assert_eq!(found, expected, "{fields:?} {only:?}");
        }
    }
    assert!(from_columns > 200, "{from_columns}");
}

#[tokio::test]
async fn documents_are_not_read_if_their_columns_are() {
    let pool = things().await;
    let list = Thing::list()
        .order_by(OrderBy::desc("seenOr"))
        .only(["id", "name", "tags"]);
    let after = list
        .page(Page::first(1), &pool)
        .await
        .unwrap()
        .end()
        .cloned();
    let in_two_ranges = list.page_sql(&Page::first(9).before(after)).unwrap();
    for sql in [list.sql().unwrap(), list.clone().limit(9).sql().unwrap()] {
        let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN (VERBOSE) {sql}")))
            .fetch_all(&pool)
            .await
            .unwrap();
        for line in &plan {
            let line: String = line.get(0);
            assert!(!line.contains("data"), "{line}");
        }
    }
    assert!(!in_two_ranges.contains(".data"), "{in_two_ranges}");
}

#[tokio::test]
async fn a_row_of_another_shape_is_built_and_not_read_from_its_columns() {
    let pool = things().await;
    let list = Thing::list().of_any_view().only(["id", "name", "flagOr"]);
    let projection = Projection::of::<Thing>(&"{ id name flagOr }".parse().unwrap()).unwrap();
    let mut session = pool.acquire().await.unwrap();
    let before = written(&list, &projection, &mut session).await;
    fraiseql_tests::run(
        &pool,
        "UPDATE tv_thing SET shape = 1, data = '{}', name = 'old', flag_or = NULL WHERE id IN (1, 4, 60);
         UPDATE tv_thing SET shape = NULL, data = '{}', name = NULL WHERE id = 7",
    )
    .await;
    assert_eq!(written(&list, &projection, &mut session).await, before);
    // Also if no row has the shape, so that nothing tests the types.
    fraiseql_tests::run(
        &pool,
        "UPDATE tv_thing SET shape = 1, data = '{}', name = 'old'",
    )
    .await;
    assert_eq!(written(&list, &projection, &mut session).await, before);
}

/// Fields of type `String` of columns whose text is not that in JSON, and of some whose text is.
#[derive(Debug, TView)]
#[tview(table = "tb_other", entity = "other")]
struct Other {
    id: i32,
    #[tview(filter)]
    address: String,
    #[tview(filter)]
    padded: String,
    #[tview(filter)]
    moment: String,
    #[tview(filter)]
    short: String,
    #[tview(filter)]
    domain: String,
    #[tview(filter)]
    mood: String,
    #[tview(filter)]
    token: String,
    #[tview(filter, expr = "{}.padded")]
    computed: String,
}

#[tokio::test]
async fn strings_of_columns_of_other_types_are_those_of_documents() {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(
        &pool,
        "CREATE DOMAIN label AS varchar(20);
         CREATE TYPE mood AS ENUM ('good \"or\" so');
         CREATE TABLE tb_other (id int4 PRIMARY KEY, address inet NOT NULL, padded char(8) NOT NULL,
             moment timestamp NOT NULL, short varchar(9) NOT NULL, domain label NOT NULL, mood mood NOT NULL,
             token uuid NOT NULL);
         INSERT INTO tb_other VALUES (1, '10.0.0.1', 'ab', '2026-01-01 12:00', 'a\"b', 'c', 'good \"or\" so',
             'aaaaaaaa-0000-0000-0000-000000000001')",
    )
    .await;
    fraiseql_tests::world::model::<Other>()
        .migrate(&pool)
        .await
        .unwrap();
    sync_all_others(&pool)
        .await
        .unwrap()
        .ensure_valid()
        .unwrap();
    let mut session = pool.acquire().await.unwrap();
    let names = [
        "address", "padded", "moment", "short", "domain", "mood", "token", "computed",
    ];
    for name in names {
        let text = format!("{{ {name} id }}");
        let projection = Projection::of::<Other>(&text.parse().unwrap()).unwrap();
        let list = Other::list().of_any_view();
        let expected = written(&list, &projection, &mut session).await;
        // What a statement finds out is kept for others.
        let kept = Arc::new(KeptStatement::default());
        let only = list.only([name, "id"]).kept_in(&kept);
        for _ in 0..3 {
            assert_eq!(
                written(&only, &projection, &mut session).await,
                expected,
                "{name}"
            );
        }
        let reads_data = only.sql().unwrap().contains(".data");
        assert_eq!(
            reads_data,
            ["address", "padded", "moment", "computed"].contains(&name),
            "{name}"
        );
        assert!(!only.sql().unwrap().contains("pg_attribute"));
    }
}
