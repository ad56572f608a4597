use fraiseql_runtime::{Embed, TUnion, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub title: String,
    pub tags: Vec<String>,
    #[tview(one(fk = "author_id"))]
    pub author: Author,
}

#[derive(TView)]
pub struct Page {
    pub id: i32,
    pub title: Option<String>,
    pub tags: Vec<Option<String>>,
    #[tview(one(fk = "author_id"))]
    pub author: Writer,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
pub struct Author {
    pub id: i64,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
pub struct Writer {
    pub id: i64,
}

#[derive(TUnion)]
#[tview(interface = "id, title, tags, author")]
pub enum Content {
    Post(Post),
    Page(Page),
}

fn main() {}
