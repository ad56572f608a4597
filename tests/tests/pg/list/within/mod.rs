//! Tests of filters by what is within documents: parts, lists of parts, JSON and words.

mod errors;
mod indexes;
mod random;

use chrono::NaiveDate;
use fraiseql_runtime::list::List;
use fraiseql_runtime::{Embed, ReadModel, TEnum, TView};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

const TABLES: &str = r#"
CREATE TABLE tb_person (id int4 PRIMARY KEY, name text, active boolean NOT NULL);
CREATE TABLE tb_post (
    id int8 PRIMARY KEY, title text NOT NULL, body text, rank int4, author_id int4 NOT NULL, editor_id int4,
    attributes jsonb);
CREATE TABLE tb_note (
    id int8 PRIMARY KEY, post_id int8 NOT NULL, author_id int4 NOT NULL, text text, rating int4, score float8 NOT NULL,
    day date, uid uuid NOT NULL, state text NOT NULL, tags text[]);
CREATE INDEX ON tb_note (post_id);
INSERT INTO tb_person SELECT n, (ARRAY['Ann', 'Ben', 'a"b', 'it''s', NULL])[1 + n % 5], n % 3 > 0
    FROM generate_series(1, 40) AS n;
INSERT INTO tb_post
    SELECT n,
        (ARRAY['Running notes', 'Rust and Java', 'A quiet day', 'Notes'])[1 + n % 4] || ' ' || n % 29,
        CASE WHEN n % 3 > 0 THEN (ARRAY['cats run', 'the dog', 'javascript'])[1 + n % 7 % 3] END,
        nullif(n % 20, 0), 1 + n % 40, CASE WHEN n % 4 > 0 THEN 1 + n % 37 END,
        (ARRAY[
            '{}', 'null', '{"size": {"width": 30}, "color": "red"}', '{"size": {"width": "30"}, "color": ["red", "blue"]}',
            '{"size": [{"width": 5}, {"width": -7.5}], "color": null}', '[{"color": "blue"}]', '{"color": []}',
            '{"color": true, "a\"b": {"it''s": "\\x"}}', '"red"', NULL,
            '{"size": {"width": [1, 30]}, "color": {"of": "red"}}'])[1 + n % 11]::jsonb
    FROM generate_series(1, 300) AS n;
INSERT INTO tb_note
    SELECT n, 1 + n * 7 % 290, 1 + n * 3 % 40, (ARRAY['', 'a"b\c', 'it''s', E'two\nlines', '😀', NULL, 'Ann'])[1 + n % 7],
        nullif(n % 9 - 3, 0), (ARRAY[0.5, -2.25, 1e20, 3])[1 + n % 4],
        CASE WHEN n % 5 > 0 THEN date '2026-01-01' + n % 50 END,
        lpad((n % 90)::text, 32, 'a')::uuid, (ARRAY['OPEN', 'DONE'])[1 + n % 2],
        CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN ARRAY['x', 'y'] ELSE ARRAY['y', 'a"b'] END
    FROM generate_series(1, 900) AS n;
"#;

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
enum State {
    Open,
    Done,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_person")]
#[allow(dead_code)]
struct Person {
    id: i32,
    name: Option<String>,
    active: bool,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_note")]
#[allow(dead_code)]
struct Note {
    id: i64,
    text: Option<String>,
    rating: Option<i32>,
    score: f64,
    day: Option<NaiveDate>,
    #[tview(json = "uid2")]
    uid: Uuid,
    state: State,
    tags: Option<Vec<String>>,
    #[tview(one(fk = "author_id"))]
    author: Person,
}

macro_rules! posts {
    ($($name:ident $(#[$attribute:meta])*;)*) => {$(
        #[derive(Debug, TView)]
        $(#[$attribute])*
        #[tview(table = "tb_post")]
        #[allow(dead_code)]
        struct $name {
            id: i64,
            title: String,
            body: Option<String>,
            #[tview(sort)]
            rank: Option<i32>,
            #[tview(one(fk = "author_id"))]
            author: Person,
            #[tview(one(fk = "editor_id"))]
            editor: Option<Person>,
            #[tview(many(fk = "post_id"))]
            notes: Vec<Note>,
            attributes: Option<Value>,
        }
    )*};
}

posts! {
    // By one index of whole documents.
    Post #[tview(index(gin), index(fulltext = "title, body", language = "english"))];
    // By an index for each field.
    Entry #[tview(entity = "entry", plural = "entries", index(gin = "notes"), index(gin = "author"), index(gin = "editor"),
        index(gin = "attributes"), index(fulltext = "title, body", language = "english"))];
    OldPost #[tview(entity = "old_post", storage = "matview", index(gin = "notes"), index(gin),
        index(fulltext = "title, body", language = "english"))];
}

async fn posts() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let model = ReadModel::builder()
        .view::<Post>()
        .view::<Entry>()
        .view::<OldPost>()
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    sync_all_entries(&pool).await.unwrap();
    model.refresh::<OldPost>(&pool).await.unwrap();
    pool
}

/// The keys of the base rows that meet a condition.
async fn rows(condition: &str, pool: &PgPool) -> Vec<i64> {
    let sql = format!("SELECT p.id FROM tb_post AS p WHERE {condition} ORDER BY p.id");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn ids(list: &List, pool: &PgPool) -> Vec<i64> {
    let documents = list.clone().only(["id"]).read(pool).await.unwrap();
    let id = |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap()["id"].as_i64();
    documents.iter().map(|it| id(it.json()).unwrap()).collect()
}
