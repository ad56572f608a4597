use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(nullable)]
    pub title: String,
}

fn main() {}
