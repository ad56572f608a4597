use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(shape_of = User)]
pub struct Post {
    id: i64,
}

fn main() {}
