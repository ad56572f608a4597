use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub value: chrono::TimeDelta,
}

fn main() {}
