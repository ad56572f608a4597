//! Tests that lists filter each type as PostgreSQL compares it, and refuse invalid filters.

use fraiseql_runtime::TView;
use fraiseql_runtime::list::{Filter, ListError, Operator, OrderBy, Page};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Post, ids, keys, posts};

/// The keys of the posts that match a filter.
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
        // 19.9 equals 19.90, and is not compared as a part of its text.
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
async fn session_settings_make_no_difference() {
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
    // A cursor from one session is valid in another.
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
async fn an_invalid_filter_is_a_clear_error() {
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
    // No table was dropped, and all posts match a filter for a text that none has.
    assert_eq!(ids(&Post::list(), &pool).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn text_in_a_filter_is_never_interpreted_as_sql() {
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
async fn filters_beyond_the_limits_are_refused_without_a_query() {
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
