use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(partition(hash = 1))]
pub struct Post {
    pub id: i64,
    pub title: String,
    #[tview(filter)]
    pub author_id: i64,
}

fn main() {}
