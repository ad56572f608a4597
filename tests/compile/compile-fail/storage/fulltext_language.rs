use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(index(fulltext = "title", language = "public."))]
pub struct Post {
    pub id: i64,
    pub title: String,
    #[tview(filter)]
    pub author_id: i64,
}

fn main() {}
