use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Project {
    pub id: i64,
    #[tview(count(table = "tb_hours", fk = "ticket_id", through()))]
    pub nothing: i64,
    #[tview(count(table = "tb_hours", fk = "ticket_id", through(table = "tb_ticket")))]
    pub no_fk: i64,
    #[tview(count(table = "tb_hours", fk = "ticket_id", through = "tb_ticket"))]
    pub a_table: i64,
    #[tview(count(table = "tb_hours", fk = "ticket_id", through(table = "tb_ticket", fk = "project_id", to = "id")))]
    pub to: i64,
    #[tview(sum(table = "tb_hours", fk = "ticket_id", through(table = "tb_ticket", fk = "project_id", expr = "hours")))]
    pub expr: i64,
    #[tview(count(table = "tb_hours", through(table = "tb_ticket", fk = "project_id")))]
    pub no_fk_of_rows: i64,
    #[tview(count(table = "tb_hours", fk = "ticket_id", through(table = "tb_ticket", fk = "project_id", filter = "(")))]
    pub filter: i64,
}

fn main() {}
