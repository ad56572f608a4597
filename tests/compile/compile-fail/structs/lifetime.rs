use fraiseql_runtime::Embed;

#[derive(Embed)]
pub struct Author<'a> {
    pub id: i64,
    pub name: &'a str,
}

fn main() {}
