use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
#[tview(tabel = "tb_post")]
pub struct Post {
    pub id: i64,
    #[tview(colum = "title")]
    pub title: String,
    pub views: u32,
    pub tags: std::collections::HashMap<String, String>,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    pub comments: String,
    #[tview(one(fk = "author_id"))]
    pub author: String,
}

#[derive(Embed)]
pub struct Part {
    pub id: f64,
    #[tview(fitler)]
    pub name: String,
    pub state: std::time::Duration,
}

fn main() {}
