use fraiseql_runtime::{TUnion, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub title: String,
}

#[derive(TView)]
pub struct User {
    pub id: i64,
    pub name: String,
}

#[derive(TUnion)]
pub enum Found {
    Nothing,
    Empty(),
    Both(Post, User),
    Named { post: Post },
}

fn main() {}
