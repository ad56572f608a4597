use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(count(fk = "post_id"))]
    pub comment_count: i64,
    #[tview(count)]
    pub like_count: i64,
    #[tview(exists())]
    pub liked: bool,
}

fn main() {}
