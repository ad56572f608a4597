use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Order {
    pub id: i64,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.price"))]
    pub total: String,
}

fn main() {}
