//! The blog: users, posts, comments, tags; and its views.

use chrono::{DateTime, Utc};
use fraiseql_runtime::{Embed, ReadModel, TView};
use sqlx::PgPool;
use uuid::Uuid;

/// The base tables.
pub const TABLES: &str = "
CREATE TABLE tb_user (
    id uuid PRIMARY KEY,
    username text NOT NULL UNIQUE,
    full_name text NOT NULL,
    bio text
);
CREATE TABLE tb_post (
    id uuid PRIMARY KEY,
    author_id uuid NOT NULL REFERENCES tb_user,
    editor_id uuid REFERENCES tb_user,
    title text NOT NULL,
    published boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON tb_post (author_id);
CREATE INDEX ON tb_post (editor_id);
CREATE TABLE tb_comment (
    id uuid PRIMARY KEY,
    post_id uuid NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    author_id uuid NOT NULL REFERENCES tb_user,
    content text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON tb_comment (post_id, created_at);
CREATE INDEX ON tb_comment (author_id);
";

/// A user, in a post or a comment.
#[derive(Clone, Debug, PartialEq, Embed)]
#[tview(table = "tb_user")]
pub struct Author {
    /// The user's key.
    pub id: Uuid,
    /// The unique name.
    pub username: String,
    /// The name for people.
    pub full_name: String,
}

/// A comment, in its post.
#[derive(Clone, Debug, PartialEq, Embed)]
#[tview(table = "tb_comment")]
pub struct PostComment {
    /// The comment's key.
    pub id: Uuid,
    /// Its text.
    pub content: String,
    /// Who wrote it.
    #[tview(one(fk = "author_id"))]
    pub author: Author,
}

/// A post.
#[derive(Clone, Debug, PartialEq, TView)]
pub struct Post {
    /// The key.
    pub id: Uuid,
    /// The title.
    pub title: String,
    /// Whether it is public.
    pub published: bool,
    /// When it was written.
    #[tview(filter, sort)]
    pub created_at: DateTime<Utc>,
    /// Who wrote it.
    #[tview(one(fk = "author_id"))]
    pub author: Author,
    /// Who edited it, if anyone did.
    #[tview(one(fk = "editor_id"))]
    pub editor: Option<Author>,
    /// The newest comments.
    #[tview(many(fk = "post_id", order_by = "created_at DESC", limit = 50))]
    pub comments: Vec<PostComment>,
    /// How many comments there are.
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    pub comment_count: i64,
}

/// A pool on a database with the blog's base and view tables.
///
/// # Panics
/// When it cannot be created.
pub async fn blog() -> PgPool {
    let pool = crate::pool().await;
    crate::run(&pool, TABLES).await;
    if let Err(error) = model().migrate(&pool).await {
        panic!("{error}");
    }
    pool
}

/// The blog's read model.
///
/// # Panics
/// Never: the views are different.
#[must_use]
pub fn model() -> ReadModel {
    match ReadModel::builder().view::<Post>().build() {
        Ok(model) => model,
        Err(error) => panic!("{error}"),
    }
}
