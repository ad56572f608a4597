use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub value: chrono::DateTime<chrono::Local>,
}

fn main() {}
