use fraiseql_runtime::TView;
use serde::Serialize;

#[derive(TView, Serialize)]
pub struct Post {
    pub id: i64,
}

fn main() {}
