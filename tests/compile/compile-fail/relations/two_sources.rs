use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(one(fk = "author_id"), many(fk = "post_id"))]
    pub author: Author,
    #[tview(expr = "lower({}.title)", count(table = "tb_comment", fk = "post_id"))]
    pub title: i64,
}

#[derive(Embed)]
pub struct Author {
    pub id: i64,
}

fn main() {}
