//! Tests that after a mutation every document that depends on a changed row is correct.

mod actions;
mod borrows;
mod conflicts;
mod deferred;
mod dependents;
mod domains;
mod finds;
mod former;
mod limits;
mod marks;
mod replace;
mod transactions;

use fraiseql_runtime::{Embed, Mutation, ReadModel, TView};
use fraiseql_tests::world::numbered::Author;
use fraiseql_tests::{run, world};
use serde_json::Value;
use sqlx::{PgPool, Row};

/// Three users, three posts, three comments, two tags.
const ROWS: &str = "
    INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Eve');
    INSERT INTO tb_post VALUES (1, 'One', 1), (2, 'Two', 1), (3, 'Three', 2);
    INSERT INTO tb_comment VALUES (1, 'First!', 1, 2), (2, 'Second', 1, 3), (3, 'Third', 2, 2);
    INSERT INTO tb_tag VALUES (1, 'sql'), (2, 'rust');
    INSERT INTO tb_post_tag VALUES (1, 1), (2, 1)";

#[derive(TView)]
#[allow(dead_code)]
struct User {
    id: i64,
    name: String,
    #[tview(many(fk = "author_id"))]
    posts: Vec<UserPost>,
    #[tview(count(table = "tb_comment", fk = "author_id"))]
    comment_count: i64,
}

#[derive(Embed)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct UserPost {
    id: i64,
    title: String,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    comment_count: i64,
}

#[derive(TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id"))]
    comments: Vec<PostComment>,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    tags: Vec<Tag>,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
struct PostComment {
    id: i64,
    content: String,
    #[tview(one(fk = "author_id"))]
    author: Option<Author>,
}

#[derive(Embed)]
#[allow(dead_code)]
struct Tag {
    id: i32,
    name: String,
}

#[derive(TView)]
#[allow(dead_code)]
struct Comment {
    id: i64,
    content: String,
    #[tview(one(fk = "post_id"))]
    post: CommentPost,
}

#[derive(Embed)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct CommentPost {
    id: i64,
    title: String,
}

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Comment>()
        .view::<Post>()
        .view::<User>()
        .build()
        .unwrap()
}

async fn filled(pool: &PgPool) -> ReadModel {
    world::numbered_blog().sql(ROWS).on(pool).await;
    let model = model();
    model.migrate(pool).await.unwrap();
    sync_all_comments(pool).await.unwrap();
    sync_all_posts(pool).await.unwrap();
    sync_all_users(pool).await.unwrap();
    model
}

async fn blog() -> (PgPool, ReadModel) {
    let pool = fraiseql_tests::pool().await;
    let model = filled(&pool).await;
    (pool, model)
}

/// All documents as they are stored.
async fn stored(pool: &PgPool) -> Vec<(String, Value)> {
    let mut documents = Vec::new();
    for table in ["tv_comment", "tv_post", "tv_user"] {
        let sql = format!("SELECT id, data FROM {table} ORDER BY id");
        for row in sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(pool)
            .await
            .unwrap()
        {
            documents.push((format!("{table} {}", row.get::<i64, _>(0)), row.get(1)));
        }
    }
    documents
}

/// Asserts that the documents equal those of a full sync.
async fn assert_right(pool: &PgPool) {
    let stored_before = stored(pool).await;
    run(pool, "TRUNCATE tv_comment, tv_post, tv_user").await;
    sync_all_comments(pool).await.unwrap();
    sync_all_posts(pool).await.unwrap();
    sync_all_users(pool).await.unwrap();
    assert_eq!(stored_before, stored(pool).await);
}

/// A statement of a mutation, and the mark for it.
async fn execute(m: &mut Mutation, sql: &'static str) {
    sqlx::raw_sql(sql).execute(&mut **m).await.unwrap();
}

/// Runs one statement and its mark. Asserts that the documents are correct, and that this number of
/// each view was synced.
async fn case(
    sql: &'static str,
    mark: impl FnOnce(&mut Mutation),
    looked_at: [u64; 3],
) -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, sql).await;
    mark(&mut m);
    let report = m.commit().await?;
    let of = |report: Option<&fraiseql_runtime::SyncReport>| report.map_or(0, |r| r.total());
    assert_eq!(
        [
            of(report.of::<Comment>()),
            of(report.of::<Post>()),
            of(report.of::<User>())
        ],
        looked_at,
        "{report}"
    );
    assert_right(&pool).await;
    Ok(())
}
