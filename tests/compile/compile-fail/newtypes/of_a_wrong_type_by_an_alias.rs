use fraiseql_runtime::TScalar;

type Inner = Vec<Vec<i64>>;

#[derive(TScalar)]
pub struct Matrix(Inner);

fn main() {}
