use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    id: i64,
    #[tview(many(fk = "post_id", limit = 3))]
    comments: [Comment; 3],
}

#[derive(Embed)]
pub struct Comment {
    id: i64,
}

fn main() {}
