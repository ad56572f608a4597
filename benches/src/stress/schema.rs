//! Tables with all kinds of relations, and views that embed each other's rows.

use fraiseql_runtime::{Capture, Embed, ReadModel, TView};
use sqlx::PgPool;

const TABLES: &str = "
CREATE TABLE tb_user (
    id int4 PRIMARY KEY,
    name text NOT NULL,
    manager_id int4 REFERENCES tb_user
);
CREATE INDEX ON tb_user (manager_id);
CREATE TABLE tb_post (
    id int4 PRIMARY KEY,
    author_id int4 NOT NULL REFERENCES tb_user,
    title text NOT NULL,
    published boolean NOT NULL
);
CREATE INDEX ON tb_post (author_id);
CREATE TABLE tb_comment (
    id int4 PRIMARY KEY,
    post_id int4 NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    author_id int4 NOT NULL REFERENCES tb_user,
    content text NOT NULL
);
CREATE INDEX ON tb_comment (post_id);
CREATE INDEX ON tb_comment (author_id);
CREATE TABLE tb_tag (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post_tag (
    post_id int4 REFERENCES tb_post ON DELETE CASCADE,
    tag_id int4 REFERENCES tb_tag,
    PRIMARY KEY (post_id, tag_id)
);
CREATE INDEX ON tb_post_tag (tag_id);
CREATE TABLE tb_reaction (
    post_id int4 NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    user_id int4 NOT NULL,
    PRIMARY KEY (post_id, user_id)
) PARTITION BY RANGE (user_id);
CREATE TABLE tb_reaction_low PARTITION OF tb_reaction FOR VALUES FROM (MINVALUE) TO (3);
CREATE TABLE tb_reaction_high PARTITION OF tb_reaction FOR VALUES FROM (3) TO (MAXVALUE);
CREATE INDEX ON tb_reaction (user_id);
";

/// Pauses in a few documents, between the snapshot and the writes of a statement. This makes races
/// more likely that are possible anyway.
const JITTER: &str = "
CREATE FUNCTION jitter(id int4) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    IF random() < 0.03 THEN
        PERFORM pg_sleep(random() * current_setting('stress.jitter')::float8 / 1000);
    END IF;
    RETURN true;
END $$";

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
pub(crate) struct Person {
    id: i32,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
pub(crate) struct Manager {
    id: i32,
    name: String,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Person>,
}

#[derive(Embed)]
#[tview(table = "tb_tag")]
#[allow(dead_code)]
pub(crate) struct Tag {
    id: i32,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
pub(crate) struct UserPost {
    id: i32,
    title: String,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    comment_count: i64,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
pub(crate) struct PostComment {
    id: i32,
    content: String,
    #[tview(one(fk = "author_id"))]
    author: Person,
}

#[derive(Embed)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
pub(crate) struct CommentPost {
    id: i32,
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Person,
}

#[derive(TView)]
#[allow(dead_code)]
pub(crate) struct User {
    id: i32,
    #[tview(expr = "public.jitter({}.id)")]
    jitter: bool,
    #[tview(filter)]
    name: String,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Manager>,
    #[tview(many(fk = "author_id"))]
    posts: Vec<UserPost>,
    #[tview(count(table = "tb_post", fk = "author_id"))]
    post_count: i64,
    #[tview(count(table = "tb_comment", fk = "author_id"))]
    comment_count: i64,
    #[tview(count(table = "tb_reaction", fk = "user_id"))]
    reaction_count: i64,
}

#[derive(TView)]
#[allow(dead_code)]
pub(crate) struct Post {
    id: i32,
    #[tview(expr = "public.jitter({}.id)")]
    jitter: bool,
    title: String,
    #[tview(filter)]
    published: bool,
    #[tview(one(fk = "author_id"))]
    author: Person,
    #[tview(many(fk = "post_id"))]
    comments: Vec<PostComment>,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    tags: Vec<Tag>,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    comment_count: i64,
    #[tview(count(table = "tb_reaction", fk = "post_id"))]
    reaction_count: i64,
}

#[derive(TView)]
#[tview(data = "json")]
#[allow(dead_code)]
pub(crate) struct Comment {
    id: i32,
    #[tview(expr = "public.jitter({}.id)")]
    jitter: bool,
    content: String,
    #[tview(one(fk = "author_id"))]
    author: Person,
    #[tview(one(fk = "post_id"))]
    post: CommentPost,
}

/// Numbers of rows at the start: few, so that there are many conflicts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    pub(crate) users: i32,
    pub(crate) posts: i32,
    pub(crate) comments: i32,
    pub(crate) tags: i32,
}

pub(crate) fn model(capture: Capture) -> anyhow::Result<ReadModel> {
    let views = ReadModel::builder()
        .view::<User>()
        .view::<Post>()
        .view::<Comment>();
    Ok(views.capture(capture).build()?)
}

/// Creates the tables, rows and documents.
pub(crate) async fn create(
    pool: &PgPool,
    rows: Rows,
    capture: Capture,
) -> anyhow::Result<ReadModel> {
    sqlx::raw_sql(TABLES).execute(pool).await?;
    sqlx::raw_sql(JITTER).execute(pool).await?;
    sqlx::query(
        "WITH users AS (INSERT INTO tb_user
             SELECT i, 'name 0', CASE WHEN i > 2 THEN i / 2 END FROM generate_series(1, $1) AS i),
         posts AS (INSERT INTO tb_post
             SELECT i, i % $1 + 1, 'title 0', false FROM generate_series(1, $2) AS i),
         comments AS (INSERT INTO tb_comment
             SELECT i, i % $2 + 1, i * 7 % $1 + 1, 'content 0' FROM generate_series(1, $3) AS i),
         tags AS (INSERT INTO tb_tag SELECT i, 'tag 0' FROM generate_series(1, $4) AS i)
         INSERT INTO tb_post_tag
         SELECT p, t FROM generate_series(1, $2) AS p, generate_series(1, $4) AS t
         WHERE (p + t) % 3 = 0",
    )
    .bind(rows.users)
    .bind(rows.posts)
    .bind(rows.comments)
    .bind(rows.tags)
    .execute(pool)
    .await?;
    let model = model(capture)?;
    model.migrate(pool).await?;
    sync_all_users(pool).await?;
    sync_all_posts(pool).await?;
    sync_all_comments(pool).await?;
    Ok(model)
}
