//! Columns that the part has under another name, or that cannot be compared.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(first(fk = "post", order_by = "id"))]
    pub by_a_field: Option<Comment>,
    #[tview(first(fk = "post_id", order_by = "createdAt DESC"))]
    pub by_a_key: Option<Comment>,
    #[tview(first(fk = "content", order_by = "id"))]
    pub by_a_text: Option<Comment>,
}

#[derive(Embed)]
pub struct Comment {
    pub id: i64,
    #[tview(column = "post_id")]
    pub post: i64,
    pub content: String,
    #[tview(column = "made_at")]
    pub created_at: chrono::DateTime<chrono::Utc>,
}

fn main() {}
