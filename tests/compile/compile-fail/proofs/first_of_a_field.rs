//! The first row by another order, or all of them, in the other struct.

use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(shape_of = model::User)]
pub struct Author {
    #[tview(first(fk = "user_id", order_by = "id DESC"))]
    last: Option<Note>,
    #[tview(first(fk = "user_id", order_by = "id"))]
    notes: Option<Note>,
}

#[derive(Embed)]
struct Note {
    id: i64,
}

mod model {
    #[derive(fraiseql_runtime::TView)]
    pub struct User {
        id: i64,
        #[tview(first(fk = "user_id", order_by = "id"))]
        last: Option<Note>,
        #[tview(many(fk = "user_id", order_by = "id"))]
        notes: Vec<Note>,
    }

    #[derive(fraiseql_runtime::Embed)]
    struct Note {
        id: i64,
    }
}

fn main() {}
