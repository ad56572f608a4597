use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(many(fk = "post_id", limit = "fifty"))]
    pub comments: Vec<Comment>,
}

#[derive(Embed)]
pub struct Comment {
    pub id: i64,
}

fn main() {}
