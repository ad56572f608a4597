use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(many(
        fk = "post_id",
        through(table = "tb_post_tag", fk = "post_id", to = "tag_id")
    ))]
    pub tags: Vec<Tag>,
}

#[derive(Embed)]
pub struct Tag {
    pub id: i64,
}

fn main() {}
