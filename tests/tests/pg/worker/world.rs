//! A blog whose base tables have triggers that write changes.

use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::world::World;
use fraiseql_tests::world::numbered::{Author, Comment};
use fraiseql_tests::world::numbered_blog;
use sqlx::{AssertSqlSafe, PgPool};

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
    ReadModel::builder()
        .view::<Post>()
        .view::<User>()
        .build()
        .unwrap()
}

/// The tables with `posts` posts, and their documents.
pub(super) async fn world(posts: i64) -> (PgPool, ReadModel) {
    world_of(numbered_blog().rows(posts)).await
}

pub(super) async fn world_of(world: World) -> (PgPool, ReadModel) {
    let pool = world.pool().await;
    let model = model();
    install(&pool, &model).await;
    model.sync_all(&pool).await.unwrap();
    (pool, model)
}

pub(super) async fn install(pool: &PgPool, model: &ReadModel) {
    model.migrate(pool).await.unwrap();
    for sql in model.__changes_ddl() {
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql.clone()))
            .execute(pool)
            .await
        {
            panic!("{error}\n{sql}");
        }
    }
}

/// Leaves posts to the worker, in a transaction of its own.
pub(super) async fn leave(pool: &PgPool, model: &ReadModel, posts: &[i64]) {
    let mut tx = pool.begin().await.unwrap();
    model.defer(&mut tx).resync::<Post>(posts).await.unwrap();
    tx.commit().await.unwrap();
}
