use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    #[tview(key)]
    pub id: i64,
    #[tview(key)]
    pub slug: String,
}

fn main() {}
