use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(filter = "(deleted_at IS NULL")]
pub struct Post {
    pub id: i64,
    #[tview(expr = "lower({}.title))")]
    pub slug: String,
}

fn main() {}
