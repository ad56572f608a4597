use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(filter)]
    pub attributes: serde_json::Value,
}

fn main() {}
