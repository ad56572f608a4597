use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(partition(range = "8"))]
pub struct Post {
    pub id: uuid::Uuid,
}

fn main() {}
