use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(filter, sort)]
    pub views: u64,
}

fn main() {}
