use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(many(fk = "post_id", limit = 0))]
    pub comments: Vec<Comment>,
    #[tview(many(fk = "post_id", limit = 99999999999999999999))]
    pub replies: Vec<Comment>,
    #[tview(many(fk = "post_id", limit = -1))]
    pub likes: Vec<Comment>,
}

#[derive(Embed)]
pub struct Comment {
    pub id: i64,
}

fn main() {}
