use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(many(through(table = "tb_post_tag")))]
    pub tags: Vec<Tag>,
    #[tview(many(through = "tb_post_tag"))]
    pub others: Vec<Tag>,
}

#[derive(Embed)]
pub struct Tag {
    pub id: i64,
}

fn main() {}
