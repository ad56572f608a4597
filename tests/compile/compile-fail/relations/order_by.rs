use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(many(fk = "post_id", order_by = "lower(content)"))]
    pub by_expression: Vec<Comment>,
    #[tview(many(fk = "post_id", order_by = "created_at DESC NULLS"))]
    pub by_nulls: Vec<Comment>,
    #[tview(many(fk = "post_id", order_by = "created_at DOWN"))]
    pub by_down: Vec<Comment>,
    #[tview(many(fk = "post_id", order_by = "created_at,"))]
    pub by_nothing: Vec<Comment>,
}

#[derive(Embed)]
pub struct Comment {
    pub id: i64,
}

fn main() {}
