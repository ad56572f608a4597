use fraiseql_runtime::{TUnion, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
}

#[derive(TUnion)]
pub struct Found {
    pub post: Post,
}

fn main() {}
