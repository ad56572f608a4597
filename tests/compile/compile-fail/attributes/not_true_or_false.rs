use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(serde = 0)]
pub struct Post {
    pub id: i64,
}

fn main() {}
