use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(filter = "deleted_at IS NULL -- not deleted")]
pub struct Post {
    pub id: i64,
    #[tview(expr = "lower({}.title) /* for links */")]
    pub slug: String,
}

fn main() {}
