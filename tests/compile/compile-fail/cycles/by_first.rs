use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(first(fk = "post_id", order_by = "id"))]
    pub comment: Option<Comment>,
}

#[derive(Embed)]
pub struct Comment {
    pub id: i64,
    #[tview(one(fk = "post_id"))]
    pub post: Box<Post>,
}

fn main() {}
