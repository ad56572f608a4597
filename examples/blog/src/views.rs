//! What clients read: one document for each user, post and comment. SQL, sync functions, JSON and
//! GraphQL types are made of these structs.

use chrono::{DateTime, Utc};
use fraiseql_runtime::model::ReadModelBuilder;
use fraiseql_runtime::{Embed, ReadModel, TView};
use uuid::Uuid;

/// Somebody who writes posts and comments.
#[derive(Debug, TView)]
#[tview(table = "tb_user", data = "json")]
pub struct User {
    /// The key for clients.
    pub id: Uuid,
    /// The name in addresses.
    #[tview(filter)]
    pub identifier: String,
    /// The unique name.
    #[tview(filter, sort)]
    pub username: String,
    /// The name for people.
    pub full_name: String,
    /// What they say of themselves.
    pub bio: Option<String>,
    /// When they joined.
    #[tview(filter, sort)]
    pub created_at: DateTime<Utc>,
    /// How many of their posts everybody can read.
    #[tview(count(
        table = "tb_post",
        fk = "fk_author",
        key = "pk_user",
        filter = "published_at IS NOT NULL"
    ))]
    pub published_post_count: i64,
    /// How many comments they wrote.
    #[tview(count(table = "tb_comment", fk = "fk_author", key = "pk_user"))]
    pub comment_count: i64,
}

/// A post with all that its page shows.
#[derive(Debug, TView)]
#[tview(table = "tb_post", data = "json")]
pub struct Post {
    /// The key for clients.
    pub id: Uuid,
    /// The name in addresses.
    #[tview(filter)]
    pub identifier: String,
    /// The title.
    #[tview(filter, sort)]
    pub title: String,
    /// The text.
    pub content: String,
    /// Since when everybody can read it.
    #[tview(filter, sort)]
    pub published_at: Option<DateTime<Utc>>,
    /// Counts changes of title and text: say in `updatePost` which one you have read.
    pub version: i32,
    /// When it was begun.
    #[tview(filter, sort)]
    pub created_at: DateTime<Utc>,
    /// Who wrote it.
    #[tview(one(fk = "fk_author", key = "pk_user"))]
    pub author: Author,
    /// By name.
    #[tview(many(
        through(table = "tb_post_tag", fk = "fk_post", to = "fk_tag", key = "pk_tag"),
        key = "pk_post",
        order_by = "name"
    ))]
    pub tags: Vec<Tag>,
    /// The newest fifty, newest first.
    #[tview(many(
        fk = "fk_post",
        key = "pk_post",
        order_by = "created_at DESC",
        limit = 50
    ))]
    pub comments: Vec<PostComment>,
    /// How many comments there are.
    #[tview(count(table = "tb_comment", fk = "fk_post", key = "pk_post"), sort)]
    pub comment_count: i64,
    /// How many people like it.
    #[tview(count(table = "tb_like", fk = "fk_post", key = "pk_post"))]
    pub like_count: i64,
}

/// A comment on its own.
#[derive(Debug, TView)]
#[tview(table = "tb_comment", data = "json")]
pub struct Comment {
    /// The key for clients.
    pub id: Uuid,
    /// The text.
    pub content: String,
    /// When it was written.
    #[tview(filter, sort)]
    pub created_at: DateTime<Utc>,
    /// Who wrote it.
    #[tview(one(fk = "fk_author", key = "pk_user"))]
    pub author: Author,
    /// Where it stands.
    #[tview(one(fk = "fk_post", key = "pk_post"))]
    pub post: CommentedPost,
}

/// A user, in what they wrote.
#[derive(Debug, Embed)]
#[tview(table = "tb_user", shape_of = User)]
pub struct Author {
    /// The key for clients.
    pub id: Uuid,
    /// The unique name.
    pub username: String,
    /// The name for people.
    pub full_name: String,
}

/// A comment, in its post.
#[derive(Debug, Embed)]
#[tview(table = "tb_comment")]
pub struct PostComment {
    /// The key for clients.
    pub id: Uuid,
    /// The text.
    pub content: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Who wrote it.
    #[tview(one(fk = "fk_author", key = "pk_user"))]
    pub author: Author,
}

/// A post, in a comment on it.
#[derive(Debug, Embed)]
#[tview(table = "tb_post", shape_of = Post)]
pub struct CommentedPost {
    /// The key for clients.
    pub id: Uuid,
    /// The name in addresses.
    pub identifier: String,
    /// The title.
    pub title: String,
}

/// What a post is about.
#[derive(Debug, Embed)]
#[tview(table = "tb_tag")]
pub struct Tag {
    /// The key for clients.
    pub id: Uuid,
    /// The name in addresses.
    pub identifier: String,
    /// The name for people.
    pub name: String,
}

/// The views of the blog.
pub fn read_model() -> ReadModelBuilder {
    ReadModel::builder()
        .view::<User>()
        .view::<Post>()
        .view::<Comment>()
}
