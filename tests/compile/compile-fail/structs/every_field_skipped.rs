use fraiseql_runtime::Embed;

#[derive(Embed)]
pub struct Author {
    #[tview(skip)]
    pub cached: bool,
}

fn main() {}
