use fraiseql_runtime::{TUnion, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(colum = "titel")]
    pub title: String,
}

#[derive(TView)]
pub struct Page {
    pub id: i64,
    pub title: String,
}

#[derive(TUnion)]
#[tview(interface = "id, title")]
pub enum Content {
    Post(Post),
    Page(Page),
}

#[derive(TUnion)]
#[tview(interface)]
pub enum Other {
    Page(Page),
    Post(Post),
}

fn main() {}
