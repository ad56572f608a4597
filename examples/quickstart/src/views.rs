//! The read model of the quickstart, complete.

use chrono::{DateTime, Utc};
use fraiseql_runtime::{Embed, TView};
use uuid::Uuid;

#[derive(Debug, TView)] // tb_post -> tv_post, sync_post, sync_all_posts, delete_post
#[tview(table = "tb_post")]
pub(crate) struct Post {
    pub(crate) id: Uuid,
    pub(crate) title: String,
    #[tview(filter, sort)] // also a column of tv_post, with an index
    pub(crate) created_at: DateTime<Utc>,
    #[tview(one(fk = "author_id"))]
    pub(crate) author: Author,
    #[tview(many(fk = "post_id", order_by = "created_at DESC", limit = 50))]
    pub(crate) comments: Vec<PostComment>,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    pub(crate) comment_count: i64,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_user")]
pub(crate) struct Author {
    pub(crate) id: Uuid,
    pub(crate) username: String,
    pub(crate) full_name: String,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_comment")]
pub(crate) struct PostComment {
    pub(crate) id: Uuid,
    pub(crate) content: String,
    #[tview(one(fk = "author_id"))]
    pub(crate) author: Author,
}
