use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: Option<i64>,
}

fn main() {}
