use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
#[tview(table = "", view = "app.", entity = "")]
pub struct Post {
    pub id: i64,
    #[tview(column = "")]
    pub title: String,
    #[tview(one(fk = ""))]
    pub author: Author,
}

#[derive(Embed)]
pub struct Author {
    pub id: i64,
}

fn main() {}
