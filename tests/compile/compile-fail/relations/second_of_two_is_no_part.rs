use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(one(fk = "author_id"))]
    pub author: Author,
    #[tview(many(fk = "post_id"))]
    pub comments: Vec<Comment>,
}

#[derive(Embed)]
pub struct Author {
    pub id: i64,
}

pub struct Comment {
    pub id: i64,
}

fn main() {}
