use fraiseql_runtime::Embed;

#[derive(Embed)]
pub struct Entry {
    #[tview(key, through = "position")]
    pub position: i32,
}

fn main() {}
