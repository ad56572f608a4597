use fraiseql_runtime::TScalar;

#[derive(TScalar)]
pub struct Money {
    amount: i64,
    currency: String,
}

fn main() {}
