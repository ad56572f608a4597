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
    Post(Post),
}

#[derive(TUnion)]
pub enum All {
    Found(Found),
    User(User),
}

fn main() {}
