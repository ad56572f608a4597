//! A blog with two views, with or without captured changes.

use fraiseql_runtime::{Capture, Embed, ReadModel, TView};
use fraiseql_tests::world::numbered::{Author, Comment};
use fraiseql_tests::world::numbered_blog;
use sqlx::PgPool;

#[derive(Debug, TView)]
pub(super) struct Post {
    pub(super) id: i64,
    pub(super) title: String,
    #[tview(one(fk = "author_id"))]
    pub(super) author: Author,
    #[tview(many(fk = "post_id"))]
    pub(super) comments: Vec<Comment>,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    pub(super) tags: Vec<Tag>,
}

#[derive(Debug, Embed)]
pub(super) struct Tag {
    pub(super) id: i32,
    pub(super) name: String,
}

#[derive(Debug, TView)]
pub(super) struct User {
    pub(super) id: i64,
    pub(super) name: String,
    #[tview(count(table = "tb_post", fk = "author_id"))]
    pub(super) posts: i64,
    #[tview(count(table = "tb_comment", fk = "author_id"))]
    pub(super) comments: i64,
}

pub(super) fn model() -> ReadModel {
    model_with(Capture::Off)
}

fn model_with(capture: Capture) -> ReadModel {
    let model = ReadModel::builder().view::<Post>().view::<User>();
    model.capture(capture).build().unwrap()
}

/// The tables with `posts` posts, and their documents.
pub(super) async fn world(posts: i64) -> (PgPool, ReadModel) {
    world_with(posts, model()).await
}

/// The same with triggers, which write what is changed.
pub(super) async fn captured(posts: i64) -> (PgPool, ReadModel) {
    world_with(posts, model_with(Capture::Queue)).await
}

async fn world_with(posts: i64, model: ReadModel) -> (PgPool, ReadModel) {
    let world = numbered_blog().rows(posts).sql(
        "INSERT INTO tb_user VALUES (4, 'D'), (5, 'E'), (6, 'F');
         INSERT INTO tb_tag SELECT i, 'tag ' || i FROM generate_series(1, 5) AS i",
    );
    let pool = world.pool().await;
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    (pool, model)
}

/// Leaves posts to the worker, in a transaction of its own.
pub(super) async fn leave(pool: &PgPool, model: &ReadModel, posts: &[i64]) {
    let mut tx = pool.begin().await.unwrap();
    model.defer(&mut tx).resync::<Post>(posts).await.unwrap();
    tx.commit().await.unwrap();
}

/// The next release: its posts have another field, and a view table of their own.
mod next {
    use fraiseql_runtime::TView;
    use fraiseql_tests::world::numbered::Author;

    #[derive(Debug, TView)]
    #[tview(view = "tv_post_next", sync = "eventual")]
    pub(super) struct Post {
        pub(super) id: i64,
        pub(super) title: String,
        #[tview(one(fk = "author_id"))]
        pub(super) author: Author,
        #[tview(count(table = "tb_comment", fk = "post_id"))]
        pub(super) comments: i64,
    }
}

/// The read model of the next release.
pub(super) fn next_model(capture: Capture) -> ReadModel {
    let model = ReadModel::builder().view::<next::Post>().view::<User>();
    model.capture(capture).build().unwrap()
}
