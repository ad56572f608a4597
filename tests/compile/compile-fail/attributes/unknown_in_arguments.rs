use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(one(fk = "author_id", eager = true))]
    pub author: Author,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id", distinct)))]
    pub tags: Vec<Author>,
    #[tview(count(table = "tb_comment", fk = "post_id", limit = 3))]
    pub comment_count: i64,
}

#[derive(Embed)]
pub struct Author {
    pub id: i64,
}

fn main() {}
