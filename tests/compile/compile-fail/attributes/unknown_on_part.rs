use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(materialized)]
pub struct Author {
    pub id: i64,
}

fn main() {}
