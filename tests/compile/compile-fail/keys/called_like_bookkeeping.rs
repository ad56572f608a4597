use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    #[tview(key)]
    pub data: i64,
}

fn main() {}
