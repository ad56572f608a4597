use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(min(table = "tb_comment", fk = "post_id", expr = "{}.score", distinct))]
    pub worst: Option<i32>,
    #[tview(exists(table = "tb_comment", fk = "post_id", distinct))]
    pub discussed: bool,
}

fn main() {}
