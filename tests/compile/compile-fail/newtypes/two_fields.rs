use fraiseql_runtime::TScalar;

#[derive(TScalar)]
pub struct PostId(i64, i64);

fn main() {}
