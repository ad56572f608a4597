use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(many(fk = "post_id"))]
    pub comments: Vec<Option<Comment>>,
}

#[derive(Embed)]
pub struct Comment {
    pub id: i64,
}

fn main() {}
