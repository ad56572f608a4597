//! The fields of a struct with errors are unknown: only its own errors are reported.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
#[tview(tabel = "tb_person")]
pub struct User {
    id: i64,
    name: String,
}

#[derive(Embed)]
#[tview(shape_of = User)]
pub struct Author {
    id: i64,
    name: String,
}

fn main() {}
