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

pub struct Comment {
    pub id: i64,
}

#[derive(TUnion)]
pub enum Found {
    Post(Post),
    Comment(Comment),
    Text(Option<String>),
}

fn main() {}
