use fraiseql_runtime::TEnum;

#[derive(TEnum)]
pub enum Status {}

fn main() {}
