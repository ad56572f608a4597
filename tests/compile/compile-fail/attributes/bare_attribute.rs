use fraiseql_runtime::TView;

#[derive(TView)]
#[tview]
pub struct Post {
    pub id: i64,
    #[tview = "headline"]
    pub title: String,
}

fn main() {}
