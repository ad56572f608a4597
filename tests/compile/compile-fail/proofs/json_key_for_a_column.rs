use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    id: i64,
    author_id: i64,
    legacy_no: i32,
    #[tview(one(fk = "authorId"))]
    author: Author,
    #[tview(many(fk = "postId", order_by = "createdAt DESC"))]
    comments: Vec<Comment>,
    #[tview(many(fk = "post_id", key = "legacyNo"))]
    old: Vec<Comment>,
    #[tview(many(through(table = "tb_post_comment", fk = "post", to = "comment", key = "createdAt")))]
    linked: Vec<Comment>,
    #[tview(count(table = "tb_comment", fk = "post_no", key = "legacyNo"))]
    old_count: i64,
}

#[derive(Embed)]
pub struct Author {
    id: i64,
}

#[derive(Embed)]
pub struct Comment {
    id: i64,
    post_id: i64,
    created_at: chrono::DateTime<chrono::Utc>,
}

fn main() {}
