//! What a list promises: filters, orders, pages, and clear errors.

use chrono::{DateTime, NaiveDate, Utc};
use fraiseql_runtime::list::{Connection, Filter, List, Operator, OrderBy, Page};
use fraiseql_runtime::{Embed, ReadModel, TEnum, TView};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sqlx::PgPool;
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
