use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: Vec<i64>,
}

fn main() {}
