use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub value: std::collections::BTreeMap<String, i64>,
}

fn main() {}
