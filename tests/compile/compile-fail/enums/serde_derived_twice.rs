use fraiseql_runtime::TEnum;
use serde::Deserialize;

#[derive(TEnum, Deserialize)]
pub enum Status {
    Draft,
}

fn main() {}
