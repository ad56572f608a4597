//! Columns that structs do not tell are the database's business, and types of one kind are
//! compared as the database does.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub author_id: i32,
    pub editor_id: Option<i64>,
    pub reviewer_id: i64,
    #[tview(column = "title_de")]
    pub title: String,
    // The column has a type that the key does not, and the view says how.
    #[tview(one(fk = "author_id"))]
    pub author: Author,
    #[tview(one(fk = "editor_id"))]
    pub editor: Option<Author>,
    // It is there, and its row may not be.
    #[tview(one(fk = "reviewer_id"))]
    pub reviewer: Option<Author>,
    // No struct knows this column.
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
    // A column called `text`, and another that has the name of this field in JSON.
    pub text: String,
    #[tview(json = "body")]
    pub text_2: String,
    #[tview(column = "body", json = "bodyText")]
    pub content: String,
}

fn main() {}
