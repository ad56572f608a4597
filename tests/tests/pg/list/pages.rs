//! Tests that cursors continue the order they were made for, with keys of any type.

use fraiseql_runtime::list::{Cursor, Filter, ListError, Nulls, Operator, OrderBy, Page};
use fraiseql_runtime::scalar::{JsonEncoding, ScalarType};
use fraiseql_runtime::{ReadModel, Scalar, TView};
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Post, keys, posts};

#[tokio::test]
async fn a_cursor_is_refused_by_another_order() {
    let pool = posts().await;
    let by_title = Post::list().order_by(OrderBy::asc("title"));
    let page = by_title.page(Page::first(2), &pool).await.unwrap();
    let cursor = page.end().unwrap().clone();
    for other in [
        Post::list(),
        Post::list().order_by(OrderBy::desc("title")),
        Post::list().order_by(OrderBy::asc("rating")),
        Post::list()
            .order_by(OrderBy::asc("title"))
            .order_by(OrderBy::asc("rating")),
    ] {
        let error = other
            .page(Page::first(2).after(cursor.clone()), &pool)
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "this cursor belongs to another list, or to another order"
        );
    }
    // The filter may change.
    let filtered = by_title.clone().filter(Filter::eq("published", true));
    let page = filtered
        .page(Page::first(9).after(cursor.clone()), &pool)
        .await
        .unwrap();
    assert_eq!(keys(&page), [1, 4]);
    assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
}

/// Every truncated cursor and every changed byte is refused, or is a position in the list.
#[tokio::test]
async fn a_forged_cursor_is_refused_or_is_a_valid_position() {
    let pool = posts().await;
    for order in ["price", "createdAt", "title", "status", "rating", "id"] {
        let list = Post::list().order_by(OrderBy::asc(order));
        let page = list.page(Page::first(3), &pool).await.unwrap();
        let text = page.end().unwrap().to_string();
        let mut forged: Vec<String> = (0..text.len()).map(|end| text[..end].to_owned()).collect();
        for index in 0..text.len() {
            for letter in ["A", "_", "9", "=", "'", "\u{e9}"] {
                forged.push(format!("{}{letter}{}", &text[..index], &text[index + 1..]));
            }
        }
        forged.extend([text.repeat(2), "A".repeat(1_000_000), String::new()]);
        let (mut refused, mut read) = (0, 0);
        for forged in forged.iter().filter(|forged| **forged != text) {
            let Ok(cursor) = forged.parse::<Cursor>() else {
                refused += 1;
                continue;
            };
            match list.page(Page::first(3).after(cursor), &pool).await {
                Ok(_) => read += 1,
                Err(ListError::Cursor { .. }) => refused += 1,
                Err(error) => panic!("{order} {forged}: {error}"),
            }
        }
        assert!(refused > 50 && read > 0, "{order}: {refused} {read}");
    }
}

/// A type that fraiseql does not know: four bits, as text.
#[derive(Debug, PartialEq)]
struct Flags(String);

impl Scalar for Flags {
    const TYPE: ScalarType = ScalarType::new("bit(4)", JsonEncoding::Native, "Flags");

    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }

    fn deserialize_json<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self)
    }
}

/// A view with a text key, or a UUID key.
macro_rules! keyed {
    ($view:ident, $key:ty, $column:literal, $table:literal) => {
        #[derive(Debug, TView)]
        #[tview(table = "tb_keyed", view = $table)]
        struct $view {
            #[tview(key, column = $column)]
            id: $key,
            #[tview(sort)]
            flags: Option<Flags>,
        }
    };
}

keyed!(Named, String, "name", "tv_named");
keyed!(Marked, Uuid, "mark", "tv_marked");
keyed!(Small, i16, "small", "tv_small");

#[tokio::test]
async fn lists_are_paged_by_keys_and_columns_of_every_type() {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(
        &pool,
        "CREATE TABLE tb_keyed (name text PRIMARY KEY, mark uuid UNIQUE NOT NULL, small int2 UNIQUE NOT NULL, flags bit(4));
         INSERT INTO tb_keyed SELECT 'n ''\"' || chr(96 + n), md5(n::text)::uuid, n - 10,
             CASE WHEN n % 4 > 0 THEN (n % 3)::bit(4) END FROM generate_series(1, 20) AS n",
    )
    .await;
    let model = ReadModel::builder()
        .view::<Named>()
        .view::<Marked>()
        .view::<Small>();
    model.build().unwrap().migrate(&pool).await.unwrap();
    sync_all_nameds(&pool).await.unwrap();
    sync_all_markeds(&pool).await.unwrap();
    sync_all_smalls(&pool).await.unwrap();
    for (view, list) in [
        ("tv_named", Named::list().of_any_view()),
        ("tv_marked", Marked::list().of_any_view()),
        ("tv_small", Small::list().of_any_view()),
    ] {
        let flags = OrderBy::desc("flags").nulls(Nulls::Last);
        for (order, list) in [
            ("", list.clone()),
            ("flags DESC NULLS LAST,", list.clone().order_by(flags)),
        ] {
            let column = if view == "tv_named" {
                "name"
            } else if view == "tv_marked" {
                "mark"
            } else {
                "small"
            };
            let direction = if order.is_empty() { "ASC" } else { "DESC" };
            let expected: Vec<Value> = sqlx::query_scalar(AssertSqlSafe(format!(
                "SELECT data->'id' FROM {view} ORDER BY {order} {column} {direction}"
            )))
            .fetch_all(&pool)
            .await
            .unwrap();
            let (mut walked, mut page) = (Vec::new(), Page::first(3));
            loop {
                let found = list.page(page, &pool).await.unwrap();
                for (_, document) in found.items() {
                    let document: Value = serde_json::from_slice(document.json()).unwrap();
                    walked.push(document["id"].clone());
                }
                if !found.has_next() {
                    break;
                }
                page = Page::first(3).after(found.end().cloned());
            }
            assert_eq!(walked, expected, "{view} {order}");
            let two = Filter::compare(
                "id",
                Operator::In,
                vec![expected[3].clone(), expected[9].clone()],
            );
            let found = list.clone().filter(two).read(&pool).await.unwrap();
            assert_eq!(found.len(), 2, "{view}");
        }
        let is = |operator, value: Value| {
            list.clone()
                .filter(Filter::compare("flags", operator, value))
        };
        assert_eq!(
            is(Operator::Eq, json!("0001"))
                .read(&pool)
                .await
                .unwrap()
                .len(),
            5
        );
        assert_eq!(
            is(Operator::In, json!(["0001", "0010"]))
                .read(&pool)
                .await
                .unwrap()
                .len(),
            10
        );
        assert_eq!(
            is(Operator::Lt, json!("0010"))
                .read(&pool)
                .await
                .unwrap()
                .len(),
            10
        );
        // The server reports a value that is invalid for the type.
        let error = is(Operator::Eq, json!("'; --"))
            .read(&pool)
            .await
            .unwrap_err();
        assert!(matches!(error, ListError::Read(_)), "{error}");
    }
}
