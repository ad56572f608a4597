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
#[tview(interface = "id, title")]
pub enum Found {
    Post(Post),
    User(User),
}

#[derive(TUnion)]
#[tview(interface = "nmae")]
pub enum Person {
    User(User),
}

fn main() {}
