//! The field is a list of scalars, and never null.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(values(table = "tb_tag", fk = "post_id", column = "name"))]
    pub single: String,
    #[tview(values(table = "tb_tag", fk = "post_id", column = "name"))]
    pub optional: Option<Vec<String>>,
    #[tview(values(table = "tb_tag", fk = "post_id", column = "name"))]
    pub parts: Vec<Tag>,
    #[tview(values(table = "tb_tag", fk = "post_id", column = "name"))]
    pub unsigned: Vec<u64>,
}

#[derive(Embed)]
pub struct Tag {
    pub id: i64,
}

fn main() {}
