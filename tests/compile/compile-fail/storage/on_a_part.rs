use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(index(on = "id"), unlogged)]
pub struct Author {
    pub id: i64,
}

fn main() {}
