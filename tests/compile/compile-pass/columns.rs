//! Columns without a field are left to the database, and types of one kind are compared as the
//! database compares them.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub author_id: i32,
    pub editor_id: Option<i64>,
    pub reviewer_id: i64,
    #[tview(column = "title_de")]
    pub title: String,
    // The column's type differs from the key's, and the view declares how to compare them.
    #[tview(one(fk = "author_id"))]
    pub author: Author,
    #[tview(one(fk = "editor_id"))]
    pub editor: Option<Author>,
    // The column is not null, but its row may be missing.
    #[tview(one(fk = "reviewer_id"))]
    pub reviewer: Option<Author>,
    // No struct has a field of this column.
    #[tview(one(fk = "translator"))]
    pub translator: Author,
    #[tview(one(fk = "title_de", key = "headline"))]
    pub namesake: Option<Author>,
    #[tview(many(fk = "post_id", order_by = "created_at DESC, text, id"))]
    pub comments: Vec<Comment>,
    #[tview(many(fk = "post_title", key = "title_de", order_by = "thread"))]
    pub by_title: Vec<Comment>,
    #[tview(many(through(table = "tb_link", fk = "from", to = "to"), order_by = "body"))]
    pub linked: Vec<Comment>,
    #[tview(many(through(table = "tb_link", fk = "from", to = "to", key = "number")))]
    pub linked_by_number: Vec<Comment>,
    #[tview(count(table = "tb_comment", fk = "post", key = "number"))]
    pub count: i64,
}

#[derive(Embed)]
pub struct Author {
    pub id: i64,
}

#[derive(Embed)]
pub struct Comment {
    pub id: i64,
    pub post_id: i16,
    // A column called `text`, and another that has the JSON name of this field.
    pub text: String,
    #[tview(json = "body")]
    pub text_2: String,
    #[tview(column = "body", json = "bodyText")]
    pub content: String,
}

fn main() {}
