use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(exists(table = "tb_comment", fk = "post_id", expr = "{}.hidden"))]
    pub discussed: bool,
}

fn main() {}
