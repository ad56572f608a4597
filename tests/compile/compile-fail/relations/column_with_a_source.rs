use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(column = "author_id", one(fk = "author_id"))]
    pub author: Author,
    #[tview(column = "title", expr = "lower({}.title)")]
    pub slug: String,
}

#[derive(Embed)]
pub struct Author {
    pub id: i64,
}

fn main() {}
