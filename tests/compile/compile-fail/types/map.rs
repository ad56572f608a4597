use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub labels: std::collections::HashMap<String, String>,
}

fn main() {}
