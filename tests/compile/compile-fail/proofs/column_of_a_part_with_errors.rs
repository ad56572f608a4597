//! The columns of a struct with errors are unknown, so no further error is reported.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    id: i64,
    #[tview(one(fk = "author_id", key = "fullName"))]
    author: Author,
}

#[derive(Embed)]
#[tview(tabel = "tb_user")]
pub struct Author {
    id: i64,
    full_name: String,
}

fn main() {}
