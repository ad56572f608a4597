use fraiseql_runtime::TUnion;

#[derive(TUnion)]
pub enum Found {}

fn main() {}
