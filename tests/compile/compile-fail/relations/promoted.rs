use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(filter, one(fk = "author_id"))]
    pub author: Author,
    #[tview(sort, many(fk = "post_id"))]
    pub comments: Vec<Author>,
}

#[derive(Embed)]
pub struct Author {
    pub id: i64,
}

fn main() {}
