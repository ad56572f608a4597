use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    id: i64,
    #[tview(many(fk = "post_id"))]
    comment_ids: Vec<i64>,
}

fn main() {}
