use fraiseql_runtime::{TUnion, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub title: String,
}

#[derive(TView)]
pub struct User {
    pub id: i32,
    pub name: String,
}

#[derive(TView)]
pub struct Tag {
    #[tview(key)]
    pub label: String,
}

#[derive(TUnion)]
#[tview(interface)]
pub enum Found {
    Post(Post),
    User(User),
}

#[derive(TUnion)]
#[tview(interface)]
pub enum Other {
    Post(Post),
    Tag(Tag),
}

fn main() {}
