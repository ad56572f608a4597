use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(entity = "blog-post", plural = "blog posts")]
pub struct Post {
    pub id: i64,
}

fn main() {}
