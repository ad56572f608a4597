use fraiseql_runtime::TScalar;

#[derive(TScalar)]
pub struct Name<'a>(&'a str);

fn main() {}
