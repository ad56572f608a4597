use fraiseql_runtime::{TUnion, TView};

#[derive(TView)]
pub struct Post {
    #[tview(key)]
    pub slug: String,
    pub count: serde_json::Value,
}

#[derive(TView)]
pub struct Page {
    pub id: i64,
    pub slug: String,
    pub count: Option<serde_json::Value>,
}

#[derive(TUnion)]
#[tview(interface = "slug, count")]
pub enum Content {
    Post(Post),
    Page(Page),
}

fn main() {}
