use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(skip)]
    pub connection: Handle,
}

pub struct Handle;

fn main() {}
