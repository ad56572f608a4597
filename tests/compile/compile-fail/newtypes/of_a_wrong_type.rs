use fraiseql_runtime::TScalar;

#[derive(TScalar)]
pub struct Labels(std::collections::BTreeSet<String>);

fn main() {}
