use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post(pub i64, pub String);

fn main() {}
