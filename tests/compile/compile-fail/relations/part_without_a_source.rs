use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub author: Author,
}

#[derive(Embed)]
pub struct Author {
    pub id: i64,
}

fn main() {}
