//! Each mistake is reported once: first those that the derive finds, then those of the compiler.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct User {
    id: i64,
    name: String,
}

#[derive(Embed)]
#[tview(shape_of = User, tabel = "tb_user")]
pub struct Author {
    nmae: String,
}

#[derive(Embed)]
#[tview(shape_of = User)]
pub struct Editor {
    id: u64,
    name: String,
}

fn main() {}
