use fraiseql_runtime::TScalar;

#[derive(TScalar)]
pub enum Status {
    Draft,
}

fn main() {}
