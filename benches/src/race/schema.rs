//! Tables, views, the rows of a round, and the comparison of all documents.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::ensure;
use fraiseql_runtime::{Capture, Embed, ReadModel, TView};
use sqlx::PgPool;

const TABLES: &str = "
CREATE TABLE tb_user (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (
    id int4 PRIMARY KEY,
    author_id int4 NOT NULL REFERENCES tb_user,
    title text NOT NULL
);
CREATE INDEX ON tb_post (author_id);
CREATE TABLE tb_tag (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post_tag (
    post_id int4 REFERENCES tb_post ON DELETE CASCADE,
    tag_id int4 REFERENCES tb_tag,
    PRIMARY KEY (post_id, tag_id)
);
CREATE INDEX ON tb_post_tag (tag_id)";

/// The rows of the rounds `$1` to `$2`. A round `n` has the users `2n` and `2n + 1`, the post `2n`
/// by the user `2n + 1`, and the tag `n`. A process may add the post `2n + 1`.
const ROWS: [&str; 3] = [
    "INSERT INTO tb_user SELECT n, 'old' FROM generate_series(2 * $1, 2 * $2 + 1) AS n",
    "INSERT INTO tb_post SELECT 2 * n, 2 * n + 1, 'old' FROM generate_series($1, $2) AS n",
    "INSERT INTO tb_tag SELECT n, 'old' FROM generate_series($1, $2) AS n",
];

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
pub(super) struct Author {
    id: i32,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_tag")]
#[allow(dead_code)]
pub(super) struct Tag {
    id: i32,
    name: String,
}

#[derive(TView)]
#[allow(dead_code)]
pub(super) struct Post {
    id: i32,
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    tags: Vec<Tag>,
}

pub(super) fn model(capture: Capture) -> anyhow::Result<ReadModel> {
    let views = ReadModel::builder().view::<Post>();
    Ok(views.capture(capture).build()?)
}

pub(super) async fn create(pool: &PgPool, capture: Capture) -> anyhow::Result<ReadModel> {
    sqlx::raw_sql(TABLES).execute(pool).await?;
    let model = model(capture)?;
    model.migrate(pool).await?;
    Ok(model)
}

/// Inserts the rows and the documents of some rounds.
pub(super) async fn insert_rounds(pool: &PgPool, rounds: Range<i32>) -> anyhow::Result<()> {
    for sql in ROWS {
        sqlx::query(sql)
            .bind(rounds.start)
            .bind(rounds.end - 1)
            .execute(pool)
            .await?;
    }
    let posts: Vec<i32> = rounds.map(|round| 2 * round).collect();
    // At-commit capture has inserted the documents already, if the statement had few.
    let report = sync_post(pool, &posts).await?;
    ensure!(report.total() == posts.len() as u64, "{report:?}");
    Ok(())
}

/// The rounds that have left a document that differs from the base tables.
pub(super) async fn wrong_rounds(pool: &PgPool) -> anyhow::Result<BTreeSet<i32>> {
    let report = verify_post(pool).await?;
    let keys = [&report.drifted, &report.missing, &report.orphaned]
        .into_iter()
        .flat_map(|keys| keys.of::<Post>());
    Ok(keys.map(|post| post / 2).collect())
}

/// Empties the tables for the next rounds, so that their comparison takes no longer.
pub(super) async fn clear(pool: &PgPool) -> anyhow::Result<()> {
    sqlx::raw_sql("TRUNCATE tb_user, tb_post, tb_tag, tb_post_tag, tv_post")
        .execute(pool)
        .await?;
    Ok(())
}
