use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub matrix: Vec<Vec<i64>>,
}

fn main() {}
