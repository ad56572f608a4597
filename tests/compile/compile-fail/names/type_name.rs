use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(type_name = "Blog Post")]
pub struct Post {
    pub id: i64,
}

fn main() {}
