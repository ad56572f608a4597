use fraiseql_runtime::Embed;

#[derive(Embed)]
pub struct Author {
    #[tview(key)]
    pub id: i64,
    #[tview(key)]
    pub name: String,
}

fn main() {}
