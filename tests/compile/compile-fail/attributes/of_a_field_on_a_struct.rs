use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(key = "id")]
pub struct Post {
    pub id: i64,
}

fn main() {}
