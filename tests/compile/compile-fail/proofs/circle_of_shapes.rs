//! One error, although two are in the circle and a third leads to it.

use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(shape_of = Card)]
pub struct Author {
    id: i64,
}

#[derive(Embed)]
#[tview(shape_of = Author)]
pub struct Card {
    id: i64,
}

#[derive(Embed)]
#[tview(shape_of = Card)]
pub struct Badge {
    id: i64,
}

fn main() {}
