use fraiseql_runtime::TScalar;

#[derive(TScalar)]
pub struct Id<T>(T);

fn main() {}
