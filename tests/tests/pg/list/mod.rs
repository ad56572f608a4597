//! Tests of lists: filters, orders, pages, and the errors of invalid requests.

mod arrays;
mod counts;
mod documents;
mod enums;
mod filters;
mod oracle;
mod pages;
mod plans;
mod typed;
mod values;
mod within;

use chrono::{DateTime, NaiveDate, Utc};
use fraiseql_runtime::list::{DocumentPage, List};
use fraiseql_runtime::{Embed, TEnum, TView};
use fraiseql_tests::world;
use rust_decimal::Decimal;
use serde_json::Value;
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
    let model = world::model::<Post>();
    model.migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    pool
}

async fn ids(list: &List<Post>, pool: &PgPool) -> Vec<i64> {
    let posts: Vec<Post> = list.fetch(pool).await.unwrap();
    posts.iter().map(|post| post.id).collect()
}

fn keys(page: &DocumentPage) -> Vec<i64> {
    page.items()
        .map(|(_, document)| {
            let document: Value = serde_json::from_slice(document.json()).unwrap();
            document["id"].as_i64().unwrap()
        })
        .collect()
}
