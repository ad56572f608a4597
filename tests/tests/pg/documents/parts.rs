//! Tests that a part can be in every kind of field, and that structs share the tables and fields of
//! parts.

use std::sync::Arc;

use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::run;
use serde_json::{Value, json};
use sqlx::PgPool;

const TABLES: &str = "
CREATE SCHEMA app;
CREATE TABLE app.tb_user (user_no int8 PRIMARY KEY, full_name text NOT NULL, email text,
    deleted bool NOT NULL DEFAULT false);
CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, author_no int8 NOT NULL,
    editor_no int8);
CREATE TABLE tb_comment (id int8 PRIMARY KEY, post_id int8 NOT NULL, content text NOT NULL);
INSERT INTO app.tb_user VALUES (1, 'Ada Lovelace', 'ada@example.org', false),
    (2, 'Grace Hopper', NULL, false),
    (3, 'Nobody', NULL, true);
INSERT INTO tb_post VALUES (7, 'Notes', 1, 2), (8, 'Drafts', 2, NULL), (9, 'Spam', 1, 3);
INSERT INTO tb_comment VALUES (1, 7, 'First!'), (2, 7, 'Second')";

#[derive(Debug, PartialEq, TView)]
struct Post {
    id: i64,
    title: String,
    #[tview(one(fk = "author_no"))]
    author: Arc<Author>,
    #[tview(one(fk = "author_no"))]
    card: Box<Card>,
    #[tview(one(fk = "editor_no"))]
    editor: Option<Arc<Author>>,
    #[tview(one(fk = "editor_no"))]
    anyone: Option<Box<Card>>,
    #[tview(many(fk = "post_id", order_by = "id DESC"))]
    comments: Arc<[Comment]>,
    #[tview(many(fk = "post_id"))]
    boxed: Box<[Arc<Comment>]>,
}

#[derive(Debug, PartialEq, TView)]
#[tview(table = "app.tb_user", filter = "NOT deleted")]
struct User {
    #[tview(key)]
    user_no: i64,
    #[tview(column = "full_name")]
    name: String,
    email: Option<String>,
}

/// Without the key, which is taken from `User`.
#[derive(Debug, PartialEq, Embed)]
#[tview(shape_of = User)]
struct Author {
    #[tview(column = "full_name")]
    name: String,
}

/// Every user, including those that have no document of their own.
#[derive(Debug, PartialEq, Embed)]
#[tview(shape_of = Author, filter = "true")]
struct Card {
    #[tview(column = "full_name", json = "fullName")]
    name: String,
}

#[derive(Debug, PartialEq, Embed)]
struct Comment {
    id: i64,
    content: String,
}

async fn posts() -> anyhow::Result<PgPool> {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let model = ReadModel::builder().view::<Post>().view::<User>().build()?;
    model.migrate(&pool).await?;
    sync_all_posts(&pool).await?;
    sync_all_users(&pool).await?;
    Ok(pool)
}

async fn stored(pool: &PgPool, id: i64) -> anyhow::Result<Value> {
    let json = Post::find_json(pool, id).await?;
    Ok(serde_json::from_str(
        json.ok_or_else(|| anyhow::anyhow!("no document of {id}"))?
            .get(),
    )?)
}

#[tokio::test]
async fn parts_in_every_holder_are_written_and_read() -> anyhow::Result<()> {
    let pool = posts().await?;
    let expected = json!({
        "id": 7,
        "title": "Notes",
        "author": {"name": "Ada Lovelace"},
        "card": {"fullName": "Ada Lovelace"},
        "editor": {"name": "Grace Hopper"},
        "anyone": {"fullName": "Grace Hopper"},
        "comments": [{"id": 2, "content": "Second"}, {"id": 1, "content": "First!"}],
        "boxed": [{"id": 1, "content": "First!"}, {"id": 2, "content": "Second"}],
    });
    assert_eq!(stored(&pool, 7).await?, expected);
    let post = Post::find(&pool, 7).await?.expect("it was synced");
    assert_eq!(post.author.name, "Ada Lovelace");
    assert_eq!(post.comments.len(), 2);
    assert_eq!(post.boxed[0].content, "First!");
    // Serde writes what SQL wrote, and both are read back as equal structs.
    assert_eq!(serde_json::to_value(&post)?, expected);
    assert_eq!(serde_json::from_value::<Post>(expected)?, post);
    Ok(())
}

#[tokio::test]
async fn holders_are_empty_where_there_are_no_rows() -> anyhow::Result<()> {
    let pool = posts().await?;
    let post = Post::find(&pool, 8).await?.expect("it was synced");
    assert_eq!((post.editor, post.anyone), (None, None));
    assert!(post.comments.is_empty() && post.boxed.is_empty());
    let stored = stored(&pool, 8).await?;
    assert_eq!(stored["editor"], Value::Null);
    assert_eq!(stored["comments"], json!([]));
    Ok(())
}

#[tokio::test]
async fn a_shape_of_a_view_inherits_its_filter_by_default() -> anyhow::Result<()> {
    let pool = posts().await?;
    assert_eq!(User::find(&pool, 3).await?, None);
    let post = Post::find(&pool, 9).await?.expect("it was synced");
    assert_eq!(post.editor, None);
    assert_eq!(post.anyone.map(|card| card.name).as_deref(), Some("Nobody"));
    Ok(())
}

#[tokio::test]
async fn a_shape_of_a_view_is_locked_and_synced_in_the_writers_transaction() -> anyhow::Result<()> {
    let pool = posts().await?;
    let mut transaction = pool.begin().await?;
    sqlx::query("UPDATE app.tb_user SET full_name = 'Ada King' WHERE user_no = 1")
        .execute(&mut *transaction)
        .await?;
    assert_eq!(sync_post(&mut transaction, &[7, 8]).await?.updated, 1);
    transaction.commit().await?;
    assert_eq!(stored(&pool, 7).await?["author"]["name"], "Ada King");
    Ok(())
}
