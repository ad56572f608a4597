use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub value: u32,
}

fn main() {}
