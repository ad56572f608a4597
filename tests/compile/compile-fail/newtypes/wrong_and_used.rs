use fraiseql_runtime::{TScalar, TView};

#[derive(TScalar)]
pub struct PostId(u64);

#[derive(TView)]
pub struct Post {
    pub id: PostId,
    pub others: Vec<PostId>,
}

fn main() {}
