use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(first(fk = "post_id"))]
    pub comment: Option<Comment>,
    #[tview(first(order_by = "id DESC"))]
    pub like: Option<Comment>,
    #[tview(first)]
    pub share: Option<Comment>,
}

#[derive(Embed)]
pub struct Comment {
    pub id: i64,
}

fn main() {}
