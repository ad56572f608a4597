use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
#[tview(table = "tb_post")]
#[tview(table = "tb_article")]
pub struct Post {
    pub id: i64,
    #[tview(filter, sort, filter)]
    pub title: String,
    #[tview(one(fk = "author_id", fk = "writer_id"))]
    pub author: Author,
}

#[derive(Embed)]
pub struct Author {
    pub id: i64,
}

fn main() {}
