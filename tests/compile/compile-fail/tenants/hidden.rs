//! Hidden fields and fields without an index are promoted.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
struct Post {
    #[tview(hidden)]
    id: i64,
    #[tview(hidden)]
    title: String,
    #[tview(skip, hidden, filter)]
    skipped: String,
    #[tview(index = false)]
    subtitle: String,
    #[tview(unique, index = false)]
    slug: String,
    #[tview(filter, index = true)]
    author_id: i64,
    #[tview(filter, index = "none")]
    editor_id: i64,
    #[tview(filter, index(on = "reader_id"))]
    reader_id: i64,
}

#[derive(TView)]
struct Marked {
    #[tview(key, hidden)]
    code: String,
    title: String,
}

#[derive(Embed)]
struct Part {
    id: i64,
    #[tview(hidden)]
    name: String,
    #[tview(index = false)]
    other: String,
}

fn main() {}
