use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Order {
    pub id: i64,
    #[tview(min(table = "tb_line", fk = "order_id", expr = "{}.price"))]
    pub cheapest: i64,
}

fn main() {}
