//! The fields of parts are checked as well, at any depth.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    id: i64,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
}

#[derive(Embed)]
pub struct Comment {
    id: i64,
    author_id: Option<i64>,
    #[tview(one(fk = "author_id", key = "eMail"))]
    author: Author,
    #[tview(many(fk = "comment_id", order_by = "postedAt"))]
    replies: Vec<Reply>,
}

#[derive(Embed)]
pub struct Author {
    id: i64,
    e_mail: String,
}

#[derive(Embed)]
pub struct Reply {
    id: i64,
    comment_id: uuid::Uuid,
    posted_at: chrono::DateTime<chrono::Utc>,
}

fn main() {}
