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

type Article = Post;

#[derive(TUnion)]
pub enum Found {
    Post(Post),
    User(User),
    Article(Article),
}

fn main() {}
