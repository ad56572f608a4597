//! An aggregate through other rows than in the other struct.

use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(shape_of = model::Project)]
pub struct Brief {
    #[tview(count(table = "tb_hours", fk = "ticket_id", through(table = "tb_task", fk = "project_id")))]
    by_another_table: i64,
    #[tview(count(table = "tb_hours", fk = "ticket_id"))]
    direct: i64,
}

mod model {
    #[derive(fraiseql_runtime::TView)]
    pub struct Project {
        id: i64,
        #[tview(count(table = "tb_hours", fk = "ticket_id", through(table = "tb_ticket", fk = "project_id")))]
        by_another_table: i64,
        #[tview(count(table = "tb_hours", fk = "ticket_id", through(table = "tb_ticket", fk = "project_id")))]
        direct: i64,
    }
}

fn main() {}
