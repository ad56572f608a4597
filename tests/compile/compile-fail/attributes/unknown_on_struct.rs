use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(materialized)]
pub struct Post {
    pub id: i64,
}

fn main() {}
