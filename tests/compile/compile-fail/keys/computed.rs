use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    #[tview(key, expr = "lower({}.slug)")]
    pub slug: String,
}

fn main() {}
