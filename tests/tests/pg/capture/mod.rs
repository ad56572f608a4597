//! Tests of captured changes: which rows the triggers write, and how `migrate`, `check` and `grants` deal with them.

mod checks;
mod families;
mod migrations;
mod roles;
mod statements;
mod tables;
mod texts;
mod transactions;

use fraiseql_runtime::{Capture, Embed, ReadModel, TView};
use fraiseql_tests::run;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

/// Rows of a base table that a post embeds, lists, counts and reaches through a join table.
const TABLES: &str = "
CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL, seen_at timestamptz);
CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, views int8 NOT NULL DEFAULT 0,
    author_id int8 REFERENCES tb_user ON DELETE SET NULL ON UPDATE CASCADE);
CREATE INDEX ON tb_post (author_id);
CREATE TABLE tb_comment (id int8 PRIMARY KEY, content text NOT NULL, likes int8 NOT NULL DEFAULT 0,
    post_id int8 NOT NULL REFERENCES tb_post ON DELETE CASCADE ON UPDATE CASCADE,
    author_id int8 REFERENCES tb_user ON DELETE SET NULL ON UPDATE CASCADE);
CREATE INDEX ON tb_comment (post_id);
CREATE INDEX ON tb_comment (author_id);
CREATE TABLE tb_tag (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post_tag (post_id int8 REFERENCES tb_post ON DELETE CASCADE ON UPDATE CASCADE,
    tag_id int4 REFERENCES tb_tag ON DELETE CASCADE, note text, PRIMARY KEY (post_id, tag_id));
CREATE INDEX ON tb_post_tag (tag_id);
CREATE TABLE tb_like (id int8 PRIMARY KEY, post_id int8 REFERENCES tb_post ON DELETE CASCADE ON UPDATE CASCADE, weight int4 NOT NULL DEFAULT 1,
    ip text);
CREATE INDEX ON tb_like (post_id);
INSERT INTO tb_user SELECT i, 'user ' || i FROM generate_series(1, 3) AS i;
INSERT INTO tb_post SELECT i, 'post ' || i, 0, 1 FROM generate_series(1, 3) AS i;
INSERT INTO tb_comment SELECT 10 * p + i, 'comment', 0, p, 1 + i FROM generate_series(1, 3) AS p, generate_series(1, 2) AS i;
INSERT INTO tb_tag VALUES (1, 'new'), (2, 'old');
INSERT INTO tb_post_tag SELECT p, t FROM generate_series(1, 3) AS p, generate_series(1, 2) AS t;
INSERT INTO tb_like SELECT p, p FROM generate_series(1, 3) AS p;
";

#[derive(TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Option<Author>,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    tags: Vec<Tag>,
    #[tview(sum(table = "tb_like", fk = "post_id", expr = "{}.weight"))]
    likes: i64,
}

#[derive(TView)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Writer {
    id: i64,
    name: String,
    #[tview(many(fk = "author_id"))]
    posts: Vec<Written>,
    #[tview(count(table = "tb_comment", fk = "author_id"))]
    comments: i64,
}

#[derive(Embed)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct Written {
    id: i64,
    title: String,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Author {
    id: i64,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
struct Comment {
    id: i64,
    content: String,
    #[tview(one(fk = "author_id"))]
    author: Option<Author>,
}

#[derive(Embed)]
#[tview(table = "tb_tag")]
#[allow(dead_code)]
struct Tag {
    id: i32,
    name: String,
}

fn captured<V: TView>() -> ReadModel {
    let builder = ReadModel::builder().view::<V>();
    builder.capture(Capture::Queue).build().unwrap()
}

/// The read model of the tables.
fn model(capture: Capture) -> ReadModel {
    let builder = ReadModel::builder().view::<Post>().view::<Writer>();
    builder.capture(capture).build().unwrap()
}

/// The tables, with triggers.
async fn blog() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    model(Capture::Queue).migrate(&pool).await.unwrap();
    pool
}

/// A change: the table without its schema and quotes, the operation, and the images.
type Change = (String, String, Value, Value);

/// The changes in their order. They are deleted.
async fn changes(connection: &mut PgConnection) -> Vec<Change> {
    sqlx::query_as(
        "WITH taken AS (DELETE FROM fraiseql_change RETURNING *)
         SELECT replace(replace(\"table\", '\"', ''), 'public.', ''), operation,
           coalesce(old, 'null'), coalesce(new, 'null')
         FROM taken ORDER BY id",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

/// The changes of some statements in one transaction: a line for each, in the order of their tables.
async fn changes_of(pool: &PgPool, sql: &str) -> Vec<String> {
    let mut tx = pool.begin().await.unwrap();
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut *tx)
        .await;
    done.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    let lines = lines(changes(&mut tx).await);
    tx.commit().await.unwrap();
    lines
}

/// The number of the server's major version.
async fn version(pool: &PgPool) -> i32 {
    sqlx::query_scalar("SELECT current_setting('server_version_num')::int4 / 10000")
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn execute(pool: &PgPool, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(pool)
        .await;
    done.unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

fn lines(changes: Vec<Change>) -> Vec<String> {
    changes
        .into_iter()
        .map(|(table, operation, old, new)| format!("{operation} {table} {old} {new}"))
        .collect()
}
