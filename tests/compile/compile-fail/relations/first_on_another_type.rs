//! There may be no row, so the field is an `Option`; and there is at most one, so it is not a list.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(first(fk = "post_id", order_by = "id DESC"))]
    pub comment: Comment,
    #[tview(first(fk = "post_id", order_by = "id DESC"))]
    pub comments: Vec<Comment>,
    #[tview(first(fk = "post_id", order_by = "id DESC"))]
    pub comment_id: Option<i64>,
}

#[derive(Embed)]
pub struct Comment {
    pub id: i64,
}

fn main() {}
