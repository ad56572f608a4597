use fraiseql_runtime::Embed;

#[derive(Embed)]
pub struct Author<const N: usize> {
    pub id: i64,
}

fn main() {}
