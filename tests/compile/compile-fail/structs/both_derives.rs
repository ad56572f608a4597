use fraiseql_runtime::{Embed, TView};

#[derive(TView, Embed)]
pub struct Post {
    pub id: i64,
}

fn main() {}
