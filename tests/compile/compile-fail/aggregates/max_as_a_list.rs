use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Order {
    pub id: i64,
    #[tview(max(table = "tb_line", fk = "order_id", expr = "{}.price"))]
    pub dearest: Vec<i64>,
}

fn main() {}
