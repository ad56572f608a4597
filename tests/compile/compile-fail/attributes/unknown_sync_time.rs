use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(sync = "later")]
pub struct Post {
    pub id: i64,
}

fn main() {}
