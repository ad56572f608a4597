use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(sort)]
    pub title: String,
    #[tview(column = "title", filter)]
    pub headline: String,
}

fn main() {}
