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
#[tview(interface = true)]
pub enum Found {
    Post(Post),
}

#[derive(TUnion)]
#[tview(interface = "id,")]
pub enum Other {
    Post(Post),
}

#[derive(TUnion)]
#[tview(interface = "id, id")]
pub enum Twice {
    Post(Post),
}

fn main() {}
