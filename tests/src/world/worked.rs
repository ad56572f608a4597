//! A blog with two views, with or without captured changes, for tests of workers; and random statements on its
//! tables.

use fraiseql_runtime::{Capture, Embed, ReadModel, TView};
use sqlx::PgPool;

use super::numbered::{Author, Comment};
use super::numbered_blog;

/// A post.
#[derive(Debug, TView)]
pub struct Post {
    /// The key.
    pub id: i64,
    /// The title.
    pub title: String,
    /// The author.
    #[tview(one(fk = "author_id"))]
    pub author: Author,
    /// The comments.
    #[tview(many(fk = "post_id"))]
    pub comments: Vec<Comment>,
    /// The tags.
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    pub tags: Vec<Tag>,
}

/// A tag, as part of its posts.
#[derive(Debug, Embed)]
pub struct Tag {
    /// The key.
    pub id: i32,
    /// The name.
    pub name: String,
}

/// A user.
#[derive(Debug, TView)]
pub struct User {
    /// The key.
    pub id: i64,
    /// The name.
    pub name: String,
    /// The number of posts.
    #[tview(count(table = "tb_post", fk = "author_id"))]
    pub posts: i64,
    /// The number of comments.
    #[tview(count(table = "tb_comment", fk = "author_id"))]
    pub comments: i64,
}

/// The read model, without triggers.
#[must_use]
pub fn model() -> ReadModel {
    model_with(Capture::Off)
}

/// The read model.
///
/// # Panics
/// Never: its views do not collide.
#[must_use]
pub fn model_with(capture: Capture) -> ReadModel {
    let model = ReadModel::builder().view::<Post>().view::<User>();
    model.capture(capture).build().unwrap()
}

/// The tables with `posts` posts, and their documents.
pub async fn world(posts: i64) -> (PgPool, ReadModel) {
    world_of(model(), posts).await
}

/// The same with triggers, which write what is changed.
pub async fn captured(posts: i64) -> (PgPool, ReadModel) {
    world_of(model_with(Capture::Queue), posts).await
}

/// The same with documents that are right when a transaction has committed.
pub async fn at_commit(posts: i64) -> (PgPool, ReadModel) {
    world_of(model_with(Capture::AtCommit), posts).await
}

/// Creates the tables with `posts` posts, and their documents.
///
/// # Panics
/// If the database refuses.
pub async fn create(pool: &PgPool, model: &ReadModel, posts: i64) {
    let world = numbered_blog().rows(posts).sql(
        "INSERT INTO tb_user VALUES (4, 'D'), (5, 'E'), (6, 'F');
         INSERT INTO tb_tag SELECT i, 'tag ' || i FROM generate_series(1, 5) AS i",
    );
    world.on(pool).await;
    model.migrate(pool).await.unwrap();
    model.sync_all(pool).await.unwrap();
}

async fn world_of(model: ReadModel, posts: i64) -> (PgPool, ReadModel) {
    let pool = crate::pool().await;
    create(&pool, &model, posts).await;
    (pool, model)
}

/// A random statement. `random(n)` is a number below `n`.
pub fn statement(mut random: impl FnMut(u32) -> u32) -> String {
    let post = 1 + random(60);
    let other = 1 + random(60);
    let user = 1 + random(6);
    let comment = 1 + random(300);
    let tag = 1 + random(5);
    let word = random(1_000_000);
    match random(16) {
        0 | 1 => format!(
            "INSERT INTO tb_comment VALUES ({comment}, 'c{word}', {post}, {user})
             ON CONFLICT (id) DO UPDATE SET content = EXCLUDED.content, post_id = EXCLUDED.post_id"
        ),
        2 => format!("UPDATE tb_comment SET post_id = {post} WHERE id % 37 = {comment} % 37"),
        3 => format!("DELETE FROM tb_comment WHERE id = {comment}"),
        4 => format!("UPDATE tb_user SET name = 'u{word}' WHERE id = {user}"),
        5 => format!("UPDATE tb_post SET author_id = {user} WHERE id IN ({post}, {other})"),
        6 => format!("UPDATE tb_post SET title = 't{word}' WHERE id = {post}"),
        7 => format!("DELETE FROM tb_post WHERE id = {post}"),
        8 | 9 => format!(
            "INSERT INTO tb_post VALUES ({post}, 'p{word}', {user}) ON CONFLICT (id) DO NOTHING"
        ),
        10 => format!("INSERT INTO tb_post_tag VALUES ({post}, {tag}) ON CONFLICT DO NOTHING"),
        11 => format!("DELETE FROM tb_post_tag WHERE tag_id = {tag} AND post_id % 3 = 0"),
        12 => format!("UPDATE tb_tag SET name = 'g{word}' WHERE id = {tag}"),
        13 => format!("UPDATE tb_comment SET author_id = {user} WHERE post_id = {post}"),
        14 => format!(
            "BEGIN; UPDATE tb_post SET title = title || '.' WHERE id = {post};
             SAVEPOINT s; UPDATE tb_post SET title = 'x' WHERE id = {other}; ROLLBACK TO s;
             INSERT INTO tb_comment VALUES ({comment} + 1000, 'in one', {post}, {user})
             ON CONFLICT (id) DO UPDATE SET content = 'again' || {word}; COMMIT"
        ),
        _ => format!("BEGIN; DELETE FROM tb_comment WHERE post_id = {post}; ROLLBACK"),
    }
}
