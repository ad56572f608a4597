use fraiseql_runtime::{TUnion, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub full_title: String,
    #[tview(filter, hidden)]
    pub secret: String,
}

#[derive(TUnion)]
#[tview(interface = "full_title")]
pub enum Content {
    Post(Post),
}

#[derive(TUnion)]
#[tview(interface = "secret")]
pub enum Secret {
    Post(Post),
}

fn main() {}
