use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    #[tview(skip)]
    pub id: i64,
    pub title: String,
}

fn main() {}
