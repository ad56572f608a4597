//! An aggregate of all values here, and of different values in the other struct, and the reverse.

use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(shape_of = model::User)]
pub struct Author {
    #[tview(count(table = "tb_note", fk = "user_id", expr = "{}.subject"))]
    subjects: i64,
    #[tview(sum(table = "tb_note", fk = "user_id", expr = "{}.stars", distinct))]
    stars: i64,
}

mod model {
    #[derive(fraiseql_runtime::TView)]
    pub struct User {
        id: i64,
        #[tview(count(table = "tb_note", fk = "user_id", expr = "{}.subject", distinct))]
        subjects: i64,
        #[tview(sum(table = "tb_note", fk = "user_id", expr = "{}.stars"))]
        stars: i64,
    }
}

fn main() {}
