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
#[tview(interfaces)]
pub enum Found {
    Post(Post),
    User(User),
}

#[derive(TUnion)]
#[tview(members = "all")]
pub enum Other {
    Post(Post),
}

fn main() {}
