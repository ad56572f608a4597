use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(crate = 5)]
pub struct Post {
    pub id: i64,
}

fn main() {}
