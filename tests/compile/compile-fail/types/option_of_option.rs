use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub title: Option<Option<String>>,
}

fn main() {}
