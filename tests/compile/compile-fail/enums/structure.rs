use fraiseql_runtime::TEnum;

#[derive(TEnum)]
pub struct Status(String);

fn main() {}
