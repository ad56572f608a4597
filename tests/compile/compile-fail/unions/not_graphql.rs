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
#[tview(type_name = "found-it")]
pub enum Found {
    Post(Post),
}

fn main() {}
