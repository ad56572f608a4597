use std::sync::Arc;

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    id: i64,
    #[tview(many(fk = "post_id"))]
    comments: Arc<Vec<Comment>>,
}

#[derive(Embed)]
pub struct Comment {
    id: i64,
}

fn main() {}
