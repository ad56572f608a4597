use fraiseql_runtime::Embed;

#[derive(Embed)]
pub struct Author {
    pub id: Option<i64>,
}

fn main() {}
