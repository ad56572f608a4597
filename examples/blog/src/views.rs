//! The read model: one document for each user, post and comment. SQL, sync functions, JSON and
//! GraphQL types are derived from these structs.
//!
//! Comments on structs and fields are also the descriptions in the GraphQL schema.

use chrono::{DateTime, Utc};
use fraiseql_runtime::model::ReadModelBuilder;
use fraiseql_runtime::{Embed, ReadModel, TView};
use uuid::Uuid;

/// A person who writes posts and comments.
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
    /// The display name.
    pub full_name: String,
    /// A text by the user about themselves.
    pub bio: Option<String>,
    /// When the account was created.
    #[tview(filter, sort)]
    pub created_at: DateTime<Utc>,
    /// The number of published posts.
    #[tview(count(
        table = "tb_post",
        fk = "fk_author",
        key = "pk_user",
        filter = "published_at IS NOT NULL"
    ))]
    pub published_post_count: i64,
    /// The number of comments by this user.
    #[tview(count(table = "tb_comment", fk = "fk_author", key = "pk_user"))]
    pub comment_count: i64,
}

/// A post with everything that its page shows.
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
    /// When the post was published; null for a draft.
    #[tview(filter, sort)]
    pub published_at: Option<DateTime<Utc>>,
    /// The number of the last change of title or content. Pass it to `updatePost`.
    pub version: i32,
    /// When the post was created.
    #[tview(filter, sort)]
    pub created_at: DateTime<Utc>,
    /// The author.
    #[tview(one(fk = "fk_author", key = "pk_user"))]
    pub author: Author,
    /// The tags, by name.
    #[tview(many(
        through(table = "tb_post_tag", fk = "fk_post", to = "fk_tag", key = "pk_tag"),
        key = "pk_post",
        order_by = "name"
    ))]
    pub tags: Vec<Tag>,
    /// The newest fifty comments, newest first.
    #[tview(many(
        fk = "fk_post",
        key = "pk_post",
        order_by = "created_at DESC",
        limit = 50
    ))]
    pub comments: Vec<PostComment>,
    /// The number of all comments.
    #[tview(count(table = "tb_comment", fk = "fk_post", key = "pk_post"), sort)]
    pub comment_count: i64,
    /// The number of likes.
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
    /// The post that it is on.
    #[tview(one(fk = "fk_post", key = "pk_post"))]
    pub post: CommentedPost,
}

/// A user as the author of a post or comment.
#[derive(Debug, Embed)]
#[tview(table = "tb_user", shape_of = User)]
pub struct Author {
    /// The key for clients.
    pub id: Uuid,
    /// The unique name.
    pub username: String,
    /// The display name.
    pub full_name: String,
}

/// A comment inside its post.
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

/// A post inside a comment on it.
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

/// A topic of posts.
#[derive(Debug, Embed)]
#[tview(table = "tb_tag")]
pub struct Tag {
    /// The key for clients.
    pub id: Uuid,
    /// The name in addresses.
    pub identifier: String,
    /// The display name.
    pub name: String,
}

/// The views of the blog.
pub fn read_model() -> ReadModelBuilder {
    ReadModel::builder()
        .view::<User>()
        .view::<Post>()
        .view::<Comment>()
}
