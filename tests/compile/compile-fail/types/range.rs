use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub value: std::ops::Range<i64>,
}

fn main() {}
