use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(table = )]
pub struct Post {
    pub id: i64,
}

fn main() {}
