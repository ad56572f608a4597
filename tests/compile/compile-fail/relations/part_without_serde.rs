use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(one(fk = "author_id"))]
    pub author: Author,
}

#[derive(Embed)]
#[tview(serde = false)]
pub struct Author {
    pub id: i64,
}

fn main() {}
