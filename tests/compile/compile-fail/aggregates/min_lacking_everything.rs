use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Order {
    pub id: i64,
    #[tview(min())]
    pub cheapest: Option<i64>,
    #[tview(max)]
    pub dearest: Option<i64>,
}

fn main() {}
