use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(expr = "lower(title)")]
    pub slug: String,
}

fn main() {}
