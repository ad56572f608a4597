//! Two customers with a schema each, whose tables are the same, and a table that they share.

use fraiseql_runtime::{Embed, ReadModel, TEnum, TView, model::ReadModelBuilder};
use fraiseql_tests::run;
use sqlx::{AssertSqlSafe, PgPool};

/// The schemas of the customers. The second needs quotes.
pub(super) const SCHEMAS: [&str; 2] = ["customer_7", "Cust\"omer.8"];

/// The tables of one schema.
const TABLES: &str = "
CREATE TYPE state AS ENUM ('draft', 'public');
CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL, country text REFERENCES shared.tb_country);
CREATE INDEX ON tb_user (country);
CREATE TABLE tb_post (
    id int8 PRIMARY KEY, title text NOT NULL, state state NOT NULL DEFAULT 'draft',
    author_id int8 NOT NULL REFERENCES tb_user ON DELETE CASCADE
);
CREATE INDEX ON tb_post (author_id);
CREATE TABLE tb_comment (
    id int8 PRIMARY KEY, content text NOT NULL,
    post_id int8 NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    author_id int8 NOT NULL REFERENCES tb_user ON DELETE CASCADE
);
CREATE INDEX ON tb_comment (post_id);
CREATE INDEX ON tb_comment (author_id);
CREATE TABLE tb_tag (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post_tag (
    post_id int8 REFERENCES tb_post ON DELETE CASCADE, tag_id int4 REFERENCES tb_tag ON DELETE CASCADE,
    PRIMARY KEY (post_id, tag_id)
);
CREATE INDEX ON tb_post_tag (tag_id)";

#[derive(Clone, Copy, Debug, PartialEq, TEnum)]
pub(super) enum State {
    Draft,
    Public,
}

#[derive(Debug, PartialEq, TView)]
#[tview(index(fulltext = "title", language = "simple"))]
pub(super) struct Post {
    pub(super) id: i64,
    #[tview(filter, sort)]
    pub(super) title: String,
    #[tview(filter)]
    pub(super) state: State,
    #[tview(expr = "shout({}.title)")]
    pub(super) shouted: String,
    #[tview(one(fk = "author_id"))]
    pub(super) author: Author,
    #[tview(many(
        fk = "post_id",
        order_by = "id DESC",
        limit = 3,
        filter = "content <> 'hidden'"
    ))]
    pub(super) comments: Vec<Comment>,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    pub(super) tags: Vec<Tag>,
    #[tview(count(table = "tb_comment", fk = "post_id"), sort)]
    pub(super) comment_count: i64,
}

#[derive(Debug, PartialEq, TView)]
#[tview(data = "json")]
pub(super) struct User {
    pub(super) id: i64,
    pub(super) name: String,
    #[tview(one(fk = "country", key = "code"))]
    pub(super) country: Option<Country>,
    #[tview(count(
        table = "tb_comment",
        fk = "post_id",
        through(table = "tb_post", fk = "author_id")
    ))]
    pub(super) comments: i64,
    #[tview(values(table = "tb_post", fk = "author_id", column = "title", order_by = "id"))]
    pub(super) titles: Vec<String>,
    #[tview(first(fk = "author_id", order_by = "id DESC"))]
    pub(super) latest: Option<Title>,
}

#[derive(Debug, PartialEq, Embed)]
#[tview(table = "tb_user")]
pub(super) struct Author {
    pub(super) id: i64,
    pub(super) name: String,
    #[tview(one(fk = "country", key = "code"))]
    pub(super) country: Option<Country>,
}

/// Of all customers.
#[derive(Debug, PartialEq, Embed)]
#[tview(table = "shared.tb_country")]
pub(super) struct Country {
    #[tview(key)]
    pub(super) code: String,
    pub(super) name: String,
}

#[derive(Debug, PartialEq, Embed)]
pub(super) struct Comment {
    pub(super) id: i64,
    pub(super) content: String,
    #[tview(one(fk = "author_id"))]
    pub(super) author: Author,
}

#[derive(Debug, PartialEq, Embed)]
pub(super) struct Tag {
    pub(super) id: i32,
    pub(super) name: String,
}

#[derive(Debug, PartialEq, Embed)]
#[tview(table = "tb_post")]
pub(super) struct Title {
    pub(super) id: i64,
    pub(super) title: String,
}

/// A view that is no table.
#[derive(Debug, PartialEq, TView)]
#[tview(table = "tb_tag", storage = "live")]
pub(super) struct LiveTag {
    pub(super) id: i32,
    pub(super) name: String,
}

/// A view in a materialized view.
#[derive(Debug, PartialEq, TView)]
#[tview(table = "tb_tag", storage = "matview")]
pub(super) struct TagUse {
    pub(super) id: i32,
    #[tview(count(table = "tb_post_tag", fk = "tag_id"), sort)]
    pub(super) posts: i64,
}

pub(super) fn model() -> ReadModelBuilder {
    ReadModel::builder()
        .view::<User>()
        .view::<Post>()
        .view::<LiveTag>()
        .view::<TagUse>()
}

/// The schema, quoted.
pub(super) fn quoted(schema: &str) -> String {
    format!("\"{}\"", schema.replace('"', "\"\""))
}

/// Runs statements over the tables of one schema.
pub(super) async fn run_in(pool: &PgPool, schema: &str, sql: &str) {
    let mut tx = pool.begin().await.unwrap();
    let sql = format!("SET LOCAL search_path = {}; {sql}", quoted(schema));
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// The tables of both customers and rows with equal keys; each value ends with that of its schema's place.
pub(super) async fn customers(pool: &PgPool) {
    run(
        pool,
        "CREATE SCHEMA shared; CREATE TABLE shared.tb_country (code text PRIMARY KEY, name text NOT NULL);
         INSERT INTO shared.tb_country VALUES ('NL', 'Netherlands'), ('NO', 'Norway')",
    )
    .await;
    for (place, schema) in SCHEMAS.into_iter().enumerate() {
        let create = format!("CREATE SCHEMA {}", quoted(schema));
        sqlx::raw_sql(AssertSqlSafe(create))
            .execute(pool)
            .await
            .unwrap();
        let rows = format!(
            "{TABLES};
             CREATE FUNCTION shout(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(t) || ''!{place}''';
             INSERT INTO tb_user SELECT i, 'User ' || i || ' of {place}', (ARRAY['NL', 'NO', NULL])[i] FROM generate_series(1, 3) AS i;
             INSERT INTO tb_post SELECT i, 'Post ' || i || ' of {place}', 'draft', 1 + i % 3 FROM generate_series(1, 4) AS i;
             INSERT INTO tb_comment SELECT i, 'Comment ' || i || ' of {place}', 1 + i % 4, 1 + i % 3 FROM generate_series(1, 9) AS i;
             INSERT INTO tb_tag SELECT i, 'Tag ' || i || ' of {place}' FROM generate_series(1, 2) AS i;
             INSERT INTO tb_post_tag SELECT i, 1 + i % 2 FROM generate_series(1, 4) AS i"
        );
        run_in(pool, schema, &rows).await;
    }
}
