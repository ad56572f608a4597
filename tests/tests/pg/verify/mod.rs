//! Tests of verifications: what they find, in any session and transaction, and what a repair does.

mod assert;
mod differences;
mod invalid;
mod repair;
mod samples;
mod sessions;

use chrono::{DateTime, Utc};
use fraiseql_runtime::verify::VerifyReport;
use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::{pool, run};
use sqlx::PgPool;

#[derive(Debug, TView)]
#[tview(table = "post", view = "tv_post")]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
    #[tview(sort)]
    written: DateTime<Utc>,
    #[tview(filter)]
    score: Option<f64>,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
    #[tview(count(table = "comment", fk = "post_id"))]
    comment_count: i64,
}

#[derive(Debug, Embed)]
#[tview(table = "author")]
#[allow(dead_code)]
struct Author {
    id: i32,
    name: String,
}

#[derive(Debug, Embed)]
#[tview(table = "comment")]
#[allow(dead_code)]
struct Comment {
    id: i32,
    text: Option<String>,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

/// Posts that are not drafts, stored as text.
#[derive(Debug, TView)]
#[tview(
    table = "post",
    view = "tv_published",
    data = "json",
    filter = "NOT draft"
)]
#[allow(dead_code)]
struct Published {
    id: i64,
    title: String,
    score: Option<f64>,
}

/// The same table in partitions.
#[derive(Debug, TView)]
#[tview(table = "post", view = "tv_part", partition(hash = 3))]
#[allow(dead_code)]
struct Part {
    id: i64,
    #[tview(filter)]
    title: String,
}

const TABLES: &str = "
CREATE TABLE author (id int4 PRIMARY KEY, name text);
CREATE TABLE post (id int8 PRIMARY KEY, title text NOT NULL, draft bool NOT NULL DEFAULT false, score float8,
    written timestamptz NOT NULL DEFAULT '2026-07-01 12:00:00.25+00', author_id int4 NOT NULL REFERENCES author,
    divisor int4 NOT NULL DEFAULT 1);
CREATE TABLE comment (id int4 PRIMARY KEY, post_id int8 NOT NULL REFERENCES post, text text,
    author_id int4 NOT NULL REFERENCES author);
CREATE INDEX ON comment (post_id);
INSERT INTO author VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO post (id, title, score, author_id) SELECT i, 'post ' || i, i + 0.1, 1 + i % 2 FROM generate_series(1, 60) AS i;
INSERT INTO comment SELECT i, 1 + i % 20, 'comment ' || i, 1 + i % 2 FROM generate_series(1, 80) AS i;";

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Post>()
        .view::<Published>()
        .view::<Part>()
        .build()
        .unwrap()
}

/// 60 posts and their documents, all correct.
async fn posts() -> PgPool {
    let pool = pool().await;
    run(&pool, TABLES).await;
    model().migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    sync_all_publisheds(&pool).await.unwrap();
    sync_all_parts(&pool).await.unwrap();
    pool
}

/// Drifted, missing and orphaned keys.
fn found(report: &VerifyReport) -> (Vec<i64>, Vec<i64>, Vec<i64>) {
    (
        report.drifted.of::<Post>(),
        report.missing.of::<Post>(),
        report.orphaned.of::<Post>(),
    )
}

/// One document of each kind: 7 is drifted, 8 is missing, 9 is orphaned.
const HARM: &str = "
UPDATE post SET title = 'new' WHERE id = 7;
DELETE FROM tv_post WHERE id = 8;
DELETE FROM comment WHERE post_id = 9;
DELETE FROM post WHERE id = 9;";

/// Every row of the view tables as it is stored, with its version and its row version.
async fn stored(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT xmin || tv_post::text FROM tv_post UNION ALL SELECT xmin || tv_published::text FROM tv_published
         UNION ALL SELECT xmin || tv_part::text FROM tv_part",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// The statements, for review.
#[test]
fn statements() {
    let verify = &Post::statements().verify;
    insta::assert_snapshot!(format!(
        "{}\n\n-- both\n{}\n\n-- next_sampled\n{}",
        verify.compare,
        verify.both,
        Published::statements().verify.next_sampled
    ));
}
