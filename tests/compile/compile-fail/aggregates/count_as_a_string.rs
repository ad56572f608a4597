use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    pub comment_count: String,
}

fn main() {}
