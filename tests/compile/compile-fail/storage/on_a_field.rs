use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(on = "title", hash = 8)]
pub struct Post {
    pub id: i64,
    #[tview(index)]
    pub title: String,
}

fn main() {}
