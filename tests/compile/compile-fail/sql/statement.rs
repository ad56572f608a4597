use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(filter = "deleted_at IS NULL; DROP TABLE tb_post")]
pub struct Post {
    pub id: i64,
}

fn main() {}
