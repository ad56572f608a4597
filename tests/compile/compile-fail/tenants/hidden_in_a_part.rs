//! A hidden field has a value only if its view is read.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
struct User {
    id: i64,
    #[tview(filter, hidden)]
    email: String,
    name: String,
}

#[derive(TView)]
struct Post {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: User,
}

#[derive(TView)]
struct Team {
    id: i64,
    #[tview(many(fk = "team_id"))]
    users: Vec<User>,
    #[tview(many(through(table = "tb_guest", fk = "team_id", to = "user_id")))]
    guests: Vec<User>,
    #[tview(first(fk = "team_id", order_by = "name"))]
    first: Option<User>,
}

#[derive(Embed)]
#[tview(shape_of = User)]
struct Author {
    name: String,
}

#[derive(TView)]
struct Page {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

fn main() {}
