use fraiseql_runtime::{TScalar, TView};

#[derive(TScalar)]
pub struct Weight(f64);

#[derive(TView)]
pub struct Post {
    pub id: Weight,
}

fn main() {}
