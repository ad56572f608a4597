use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(filter = "state = 'public")]
pub struct Post {
    pub id: i64,
}

fn main() {}
