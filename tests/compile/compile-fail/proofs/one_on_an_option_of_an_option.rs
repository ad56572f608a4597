use fraiseql_runtime::{Embed, TView};

type Maybe = Option<Author>;

#[derive(TView)]
pub struct Post {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: Option<Maybe>,
}

#[derive(Embed)]
pub struct Author {
    id: i64,
}

fn main() {}
