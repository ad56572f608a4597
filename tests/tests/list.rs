//! What a list promises: filters, orders, pages, and clear errors.

use chrono::{DateTime, NaiveDate, Utc};
use fraiseql_runtime::list::{
    Connection, Cursor, Filter, List, ListError, Nulls, Operator, OrderBy, Page,
};
use fraiseql_runtime::scalar::{Form, ScalarType};
use fraiseql_runtime::{Embed, ReadModel, Scalar, TEnum, TView};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

const TABLES: &str = "
CREATE TABLE tb_author (id int4 PRIMARY KEY, name text NOT NULL);
INSERT INTO tb_author VALUES (1, 'Ada'), (2, 'Bob');
CREATE TABLE tb_post (
    id int8 PRIMARY KEY, title text NOT NULL, published boolean NOT NULL, rating int4,
    price numeric NOT NULL, day date NOT NULL, created_at timestamptz NOT NULL, status text NOT NULL,
    token uuid NOT NULL, author_id int4 NOT NULL REFERENCES tb_author);
CREATE TABLE tb_comment (id int8 PRIMARY KEY, post_id int8 NOT NULL REFERENCES tb_post, content text NOT NULL);
CREATE INDEX ON tb_comment (post_id);
INSERT INTO tb_post VALUES
    (1, 'Notes', true, 3, 19.90, '2026-01-01', '2026-01-01T10:00:00Z', 'draft',
     'aaaaaaaa-0000-0000-0000-000000000001', 1),
    (2, 'More', false, NULL, 19.9, '2026-01-02', '2026-01-02T10:00:00.000001Z', 'in_review',
     'aaaaaaaa-0000-0000-0000-000000000002', 1),
    (3, '100% sure', true, 3, 5, '2026-01-03', '2026-01-02T10:00:00.000002Z', 'draft',
     'aaaaaaaa-0000-0000-0000-000000000003', 2),
    (4, 'Zed', true, NULL, 100, '2026-02-28', '2026-03-01T00:00:00Z', 'in_review',
     'aaaaaaaa-0000-0000-0000-000000000004', 2),
    (5, 'O''Neil \\ co', false, 10, 0.1, '2026-02-28', '2026-03-01T00:00:00Z', 'draft',
     'aaaaaaaa-0000-0000-0000-000000000005', 1);
INSERT INTO tb_comment SELECT n, 1 + n % 5, 'comment ' || n FROM generate_series(1, 20) AS n;
";

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
enum Status {
    Draft,
    InReview,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_author")]
struct Author {
    id: i32,
    name: String,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_comment")]
struct Comment {
    id: i64,
    content: String,
}

#[derive(Debug, TView)]
struct Post {
    id: i64,
    #[tview(sort)]
    title: String,
    #[tview(filter)]
    published: bool,
    #[tview(sort)]
    rating: Option<i32>,
    #[tview(sort)]
    price: Decimal,
    #[tview(filter)]
    day: NaiveDate,
    #[tview(sort)]
    created_at: DateTime<Utc>,
    #[tview(filter, sort)]
    status: Status,
    #[tview(filter)]
    token: Uuid,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id", order_by = "id"))]
    comments: Vec<Comment>,
}

async fn posts() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Post>().build().unwrap();
    model.migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    pool
}

async fn ids(list: &List, pool: &PgPool) -> Vec<i64> {
    let posts: Vec<Post> = list.fetch(pool).await.unwrap();
    posts.iter().map(|post| post.id).collect()
}

fn keys(page: &Connection) -> Vec<i64> {
    page.items()
        .map(|(_, document)| {
            let document: Value = serde_json::from_slice(document.json()).unwrap();
            document["id"].as_i64().unwrap()
        })
        .collect()
}

/// The keys of the posts for which this holds.
async fn found(pool: &PgPool, field: &str, operator: Operator, value: Value) -> Vec<i64> {
    ids(
        &Post::list().filter(Filter::compare(field, operator, value)),
        pool,
    )
    .await
}

#[tokio::test]
async fn each_type_is_compared_as_itself() {
    use Operator::{Eq, Gt, Gte, Ilike, In, IsNull, Like, Lt, Ne, NotIn};
    let pool = posts().await;
    for (field, operator, value, expected) in [
        ("id", Eq, json!(3), vec![3]),
        ("id", In, json!([5, "1", 99]), vec![1, 5]),
        ("published", Ne, json!(true), vec![2, 5]),
        // 19.9 is 19.90, and not a part of its text.
        ("price", Eq, json!("19.9"), vec![1, 2]),
        ("price", Eq, json!(19.90), vec![1, 2]),
        ("price", Gt, json!("19.90"), vec![4]),
        ("price", Lt, json!(1), vec![5]),
        ("rating", Gte, json!(3), vec![1, 3, 5]),
        ("rating", Ne, json!(3), vec![5]),
        ("rating", NotIn, json!([3]), vec![5]),
        ("rating", NotIn, json!([]), vec![1, 2, 3, 4, 5]),
        ("rating", In, json!([]), vec![]),
        ("rating", IsNull, json!(true), vec![2, 4]),
        ("rating", IsNull, json!(false), vec![1, 3, 5]),
        ("title", Like, json!("100\\%%"), vec![3]),
        ("title", Like, json!("n%"), vec![]),
        ("title", Ilike, json!("n%"), vec![1]),
        ("title", Eq, json!("O'Neil \\ co"), vec![5]),
        ("title", Lt, json!("N"), vec![2, 3]),
        ("day", Gte, json!("2026-02-28"), vec![4, 5]),
        (
            "createdAt",
            Eq,
            json!("2026-01-02T11:00:00.000002+01:00"),
            vec![3],
        ),
        (
            "createdAt",
            Gt,
            json!("2026-01-02T10:00:00.000001Z"),
            vec![3, 4, 5],
        ),
        ("status", Eq, json!("IN_REVIEW"), vec![2, 4]),
        (
            "token",
            In,
            json!(["AAAAAAAA-0000-0000-0000-000000000004"]),
            vec![4],
        ),
    ] {
        let what = format!("{field} {operator} {value}");
        assert_eq!(
            found(&pool, field, operator, value).await,
            expected,
            "{what}"
        );
    }
}

#[tokio::test]
async fn the_session_makes_no_difference() {
    let pool = posts().await;
    let mut tx = pool.begin().await.unwrap();
    sqlx::raw_sql("SET LOCAL TimeZone = 'Asia/Tokyo'; SET LOCAL DateStyle = 'German, DMY'; SET LOCAL search_path = ''; SET LOCAL extra_float_digits = -10")
        .execute(&mut *tx)
        .await
        .unwrap();
    let list = Post::list()
        .filter(Filter::compare(
            "createdAt",
            Operator::Gte,
            "2026-01-02T10:00:00.000002Z",
        ))
        .filter(Filter::compare("day", Operator::Lt, "2026-02-28"))
        .order_by(OrderBy::desc("createdAt"));
    let posts: Vec<Post> = list.fetch(&mut tx).await.unwrap();
    assert_eq!(posts.iter().map(|post| post.id).collect::<Vec<_>>(), [3]);
    // A cursor of one session is one of another.
    let list = Post::list().order_by(OrderBy::asc("createdAt"));
    let page = list.page(Page::first(2), &mut tx).await.unwrap();
    tx.rollback().await.unwrap();
    let next = list
        .page(Page::first(2).after(page.end().cloned()), &pool)
        .await
        .unwrap();
    assert_eq!((keys(&page), keys(&next)), (vec![1, 2], vec![3, 4]));
}

#[tokio::test]
async fn what_cannot_be_asked_is_a_clear_error() {
    use Operator::{Eq, In, IsNull, Like, Lt};
    let pool = posts().await;
    let long = "x".repeat(10_001);
    let mut messages = Vec::new();
    for (field, operator, value) in [
        ("titel", Eq, json!("Notes")),
        ("author", Eq, json!(1)),
        ("'; DROP TABLE tb_post; --", Eq, json!(1)),
        ("published", Lt, json!(true)),
        ("status", Like, json!("D%")),
        ("id", Eq, json!(9_223_372_036_854_775_808_u64)),
        ("id", Eq, json!(1.5)),
        ("id", Eq, json!("1 OR 1=1")),
        ("rating", Eq, json!(2_147_483_648_i64)),
        ("rating", Eq, json!(null)),
        ("rating", In, json!(3)),
        ("rating", In, json!([3, null])),
        ("rating", IsNull, json!("yes")),
        ("price", Eq, json!("19.9; DROP TABLE tb_post")),
        ("price", Eq, json!("NaN")),
        ("price", Eq, json!("1e30000")),
        ("day", Eq, json!("2026-02-30")),
        ("day", Eq, json!("infinity")),
        ("createdAt", Eq, json!("2026-01-01T00:00:00")),
        ("createdAt", Eq, json!("now")),
        ("status", Eq, json!("in_review")),
        ("token", Eq, json!("' OR true --")),
        ("title", Eq, json!("a\0b")),
        ("title", Eq, json!(long)),
        ("title", Eq, json!({"$ne": null})),
        ("title", Like, json!("a\\")),
    ] {
        let list = Post::list().filter(Filter::compare(field, operator, value));
        let error = list.read(&pool).await.unwrap_err();
        assert!(!matches!(error, ListError::Read(_)), "{error}");
        messages.push(error.to_string());
    }
    for order in [
        OrderBy::asc("published"),
        OrderBy::asc("createdat"),
        OrderBy::asc("id; --"),
    ] {
        messages.push(
            Post::list()
                .order_by(order)
                .read(&pool)
                .await
                .unwrap_err()
                .to_string(),
        );
    }
    let twice = Post::list()
        .order_by(OrderBy::asc("title"))
        .order_by(OrderBy::desc("title"));
    messages.push(twice.read(&pool).await.unwrap_err().to_string());
    let limited = Post::list().limit(3).page(Page::first(1), &pool).await;
    messages.push(limited.unwrap_err().to_string());
    messages.push(
        Post::list()
            .omit(["coments"])
            .read(&pool)
            .await
            .unwrap_err()
            .to_string(),
    );
    insta::assert_snapshot!("errors", messages.join("\n"));
    // Nothing was dropped, and all are found by what is not there.
    assert_eq!(ids(&Post::list(), &pool).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn text_is_only_text() {
    let pool = posts().await;
    for hostile in [
        "'; DROP TABLE tv_post; --",
        "$1",
        "\"",
        "\\",
        "%00",
        "{}",
        "NULL",
        "\u{202e}",
        "a' OR 'a' = 'a",
    ] {
        for operator in [Operator::Eq, Operator::Lt, Operator::Ilike] {
            let value = hostile.replace('\\', "\\\\");
            let filter = Filter::compare("title", operator, value);
            Post::list().filter(filter).read(&pool).await.unwrap();
        }
        let found = found(&pool, "title", Operator::In, json!([hostile, "Notes"])).await;
        assert_eq!(found, [1], "{hostile}");
    }
    assert_eq!(ids(&Post::list(), &pool).await.len(), 5);
}

#[tokio::test]
async fn what_is_too_large_is_refused_at_once() {
    let pool = posts().await;
    let one = || Filter::eq("id", 1);
    let deep = (0..1_000).fold(one(), |filter, _| Filter::not(filter));
    let wide = Filter::any((0..100_000).map(|_| one()));
    let many = Filter::compare("id", Operator::In, (0..1_001).collect::<Vec<i64>>());
    let pattern = Filter::compare("title", Operator::Like, "%a".repeat(10_000));
    for (filter, message) in [
        (deep, "too many levels in a filter: at most 16 are allowed"),
        (
            wide,
            "too many conditions in a filter: at most 250 are allowed",
        ),
        (many, "too many values in a list: at most 1000 are allowed"),
        (
            pattern,
            "expected a text of at most 10000 bytes without U+0000",
        ),
    ] {
        let error = Post::list().filter(filter).read(&pool).await.unwrap_err();
        assert!(error.to_string().ends_with(message), "{error}");
        assert!(error.to_string().len() < 300, "{error}");
    }
    let order = (0..100).fold(Post::list(), |list, _| list.order_by(OrderBy::asc("title")));
    let error = order.read(&pool).await.unwrap_err().to_string();
    assert_eq!(error, "too many fields to order by: at most 8 are allowed");
    // The largest that are allowed.
    let numbers: Vec<i64> = (0..1_000).collect();
    let few = Filter::any((0..249).map(|_| Filter::compare("id", Operator::In, numbers.clone())));
    let list = Post::list().filter(few).limit(u64::MAX).offset(u64::MAX);
    assert!(list.read(&pool).await.unwrap().is_empty());
    let everything = Post::list()
        .page(Page::first(u32::MAX), &pool)
        .await
        .unwrap();
    assert_eq!((everything.len(), everything.has_next()), (5, false));
}

#[tokio::test]
async fn a_cursor_is_of_one_order_and_says_so() {
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
            "this cursor is of another list, or of another order"
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

/// Every cut and every changed byte of a cursor is refused, or is a place in the list.
#[tokio::test]
async fn a_cursor_made_by_hand_does_no_harm() {
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

/// What an older release wrote: another shape, and no value in a column that came later.
#[tokio::test]
async fn documents_of_another_shape_are_built_and_keep_their_place() {
    let pool = posts().await;
    fraiseql_tests::run(
        &pool,
        "UPDATE tv_post SET shape = 1, data = '{\"old\": true}', created_at = NULL WHERE id IN (2, 4);
         UPDATE tv_post SET shape = NULL, data = '{}' WHERE id = 3;
         DELETE FROM tb_comment WHERE post_id = 4; DELETE FROM tb_post WHERE id = 4",
    )
    .await;
    // 4 is gone from the base table; a sync will find that.
    assert_eq!(ids(&Post::list(), &pool).await, [1, 2, 3, 5]);
    assert_eq!(
        ids(&Post::list().order_by(OrderBy::desc("id")).limit(3), &pool).await,
        [5, 3]
    );
    let mut tx = pool.begin().await.unwrap();
    let posts: Vec<Post> = Post::list().fetch(&mut tx).await.unwrap();
    assert_eq!(posts.len(), 4);
    assert_eq!(
        (posts[1].title.as_str(), posts[1].comments.len()),
        ("More", 4)
    );
    tx.rollback().await.unwrap();

    // Each is on one page, though the order's column is null where it never should be.
    for order in [OrderBy::asc("createdAt"), OrderBy::desc("createdAt")] {
        let list = Post::list().order_by(order);
        let (mut forward, mut back) = (Vec::new(), Vec::new());
        let (mut next, mut previous) = (Page::first(1), Page::last(1));
        loop {
            let page = list.page(next, &pool).await.unwrap();
            forward.extend(keys(&page));
            if !page.has_next() {
                break;
            }
            next = Page::first(1).after(page.end().cloned());
        }
        loop {
            let page = list.page(previous, &pool).await.unwrap();
            back.splice(0..0, keys(&page));
            if !page.has_previous() {
                break;
            }
            previous = Page::last(1).before(page.start().cloned());
        }
        assert_eq!((&forward, forward.len()), (&back, 4));
    }
}

/// A view whose documents are stored as text.
#[derive(Debug, TView)]
#[tview(table = "tb_post", view = "tv_text", entity = "text", data = "json")]
struct Text {
    id: i64,
    title: String,
    #[tview(many(fk = "post_id", order_by = "id"))]
    comments: Vec<Comment>,
}

#[tokio::test]
async fn what_is_not_needed_is_left_out_where_that_is_worth_it() {
    let pool = posts().await;
    let keys = |json: &[u8]| -> Vec<String> {
        let document: serde_json::Map<String, Value> = serde_json::from_slice(json).unwrap();
        document.keys().cloned().collect()
    };
    let whole = keys(
        Post::list()
            .read(&pool)
            .await
            .unwrap()
            .iter()
            .next()
            .unwrap()
            .json(),
    );
    let list = Post::list()
        .omit(["comments", "author"])
        .order_by(OrderBy::asc("rating"));
    let few: Vec<&String> = whole
        .iter()
        .filter(|key| !["comments", "author"].contains(&&***key))
        .collect();
    for document in &list.read(&pool).await.unwrap() {
        assert_eq!(keys(document.json()).iter().collect::<Vec<_>>(), few);
    }
    // In a page of two parts as well.
    let first = list.page(Page::first(2), &pool).await.unwrap();
    let second = list
        .page(Page::first(9).after(first.end().cloned()), &pool)
        .await
        .unwrap();
    assert!(
        list.page_sql(&Page::first(9).after(first.end().cloned()))
            .unwrap()
            .contains("UNION ALL")
    );
    assert_eq!(first.len() + second.len(), 5);
    for (_, document) in first.items().chain(second.items()) {
        assert_eq!(keys(document.json()).iter().collect::<Vec<_>>(), few);
    }
    // Without a list among them it is not worth it.
    let list = Post::list().omit(["author", "title"]);
    assert_eq!(list.sql().unwrap(), Post::list().sql().unwrap());
    // Text would have to be read to be cut.
    let model = ReadModel::builder().view::<Text>().build().unwrap();
    model.migrate(&pool).await.unwrap();
    sync_all_texts(&pool).await.unwrap();
    let list = Text::list().omit(["comments"]);
    assert_eq!(list.sql().unwrap(), Text::list().sql().unwrap());
    assert_eq!(
        list.fetch::<Text>(&pool).await.unwrap()[0].comments.len(),
        4
    );
    assert_eq!(list.read(&pool).await.unwrap().len(), 5);
}

/// A type that this crate does not know: four bits, as text.
#[derive(Debug, PartialEq)]
struct Flags(String);

impl Scalar for Flags {
    const TYPE: ScalarType = ScalarType::new("bit(4)", Form::Native, "Flags");

    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }

    fn deserialize_json<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self)
    }
}

/// A view with a key that is a text, or a UUID.
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
async fn keys_and_types_of_any_kind_are_paged_by() {
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
        ("tv_named", Named::list()),
        ("tv_marked", Marked::list()),
        ("tv_small", Small::list()),
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
        // What is no value of it, the server says.
        let error = is(Operator::Eq, json!("'; --"))
            .read(&pool)
            .await
            .unwrap_err();
        assert!(matches!(error, ListError::Read(_)), "{error}");
    }
}
