use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(data = "bson")]
pub struct Post {
    pub id: i64,
}

fn main() {}
