//! What a struct with errors says about its columns is not known.

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
