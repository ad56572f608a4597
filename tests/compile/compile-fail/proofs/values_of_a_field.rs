//! Other values than those of the other struct.

use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(shape_of = model::User)]
pub struct Author {
    #[tview(values(table = "tb_note", fk = "user_id", column = "title"))]
    of_another_column: Vec<String>,
    #[tview(values(table = "tb_note", fk = "user_id", column = "subject", distinct))]
    different: Vec<String>,
    #[tview(values(table = "tb_letter", fk = "user_id", column = "subject"))]
    of_another_table: Vec<String>,
}

mod model {
    #[derive(fraiseql_runtime::TView)]
    pub struct User {
        id: i64,
        #[tview(values(table = "tb_note", fk = "user_id", column = "subject"))]
        of_another_column: Vec<String>,
        #[tview(values(table = "tb_note", fk = "user_id", column = "subject"))]
        different: Vec<String>,
        #[tview(values(table = "tb_note", fk = "user_id", column = "subject"))]
        of_another_table: Vec<String>,
    }
}

fn main() {}
