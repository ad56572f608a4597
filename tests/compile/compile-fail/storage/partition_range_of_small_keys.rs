use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(partition(range = "10, 40000"))]
pub struct Post {
    pub id: i16,
}

fn main() {}
