use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(serde = false)]
pub struct Post {
    pub id: i64,
}

fn main() {}
