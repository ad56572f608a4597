use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub value: Option<std::collections::HashSet<String>>,
}

fn main() {}
