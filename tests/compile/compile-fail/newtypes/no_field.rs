use fraiseql_runtime::TScalar;

#[derive(TScalar)]
pub struct PostId;

fn main() {}
