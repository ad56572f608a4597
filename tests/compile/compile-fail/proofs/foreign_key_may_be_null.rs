use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    id: i64,
    editor_id: Option<i64>,
    #[tview(one(fk = "editor_id"))]
    editor: Author,
}

#[derive(Embed)]
pub struct Author {
    id: i64,
}

fn main() {}
