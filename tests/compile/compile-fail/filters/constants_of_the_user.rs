//! A constant of the struct with the name of a field.

use fraiseql_runtime::TView;

#[derive(TView)]
struct Post {
    id: i64,
    #[tview(sort)]
    title: String,
}

impl Post {
    const TITLE: &str = "Notes";
}

fn main() {
    println!("{}", Post::TITLE);
}
