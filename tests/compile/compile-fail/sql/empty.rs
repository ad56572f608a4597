use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
#[tview(filter = "")]
pub struct Post {
    pub id: i64,
    #[tview(many(fk = "post_id", filter = " "))]
    pub comments: Vec<Comment>,
}

#[derive(Embed)]
pub struct Comment {
    pub id: i64,
}

fn main() {}
