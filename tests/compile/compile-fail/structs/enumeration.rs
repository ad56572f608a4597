use fraiseql_runtime::Embed;

#[derive(Embed)]
pub enum Status {
    Draft,
    Public,
}

fn main() {}
