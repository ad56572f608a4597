use fraiseql_runtime::Embed;

#[derive(Embed)]
pub struct Author {}

fn main() {}
