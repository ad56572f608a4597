use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    id: uuid::Uuid,
    author_id: i64,
    number: i32,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
    #[tview(many(fk = "post_id", key = "number"))]
    numbered: Vec<Comment>,
}

#[derive(Embed)]
pub struct Author {
    id: uuid::Uuid,
}

#[derive(Embed)]
pub struct Comment {
    id: i64,
    post_id: String,
}

fn main() {}
