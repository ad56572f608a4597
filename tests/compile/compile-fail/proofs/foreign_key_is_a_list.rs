use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    id: i64,
    author_ids: Vec<i64>,
    #[tview(one(fk = "author_ids"))]
    author: Option<Author>,
}

#[derive(Embed)]
pub struct Author {
    id: i64,
}

fn main() {}
