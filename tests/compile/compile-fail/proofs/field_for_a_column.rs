use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    id: i64,
    #[tview(column = "user_no")]
    author_id: i64,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(one(fk = "editor_email", key = "email"))]
    editor: Option<Author>,
    #[tview(many(fk = "post_id", order_by = "id, position"))]
    comments: Vec<Comment>,
}

#[derive(Embed)]
pub struct Author {
    id: i64,
    #[tview(column = "e_mail")]
    email: String,
}

#[derive(Embed)]
pub struct Comment {
    id: i64,
    #[tview(column = "pos")]
    position: i64,
}

fn main() {}
