use fraiseql_runtime::TScalar;
use serde::Serialize;

#[derive(TScalar, Serialize)]
pub struct PostId(i64);

fn main() {}
