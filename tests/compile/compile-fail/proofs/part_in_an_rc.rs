use std::rc::Rc;

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: Rc<Author>,
}

#[derive(Embed)]
pub struct Author {
    id: i64,
}

fn main() {}
