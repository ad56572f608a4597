use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(count(table = "tb_comment", fk = "post_id", expr = "DISTINCT {}.author_id", distinct))]
    pub author_count: i64,
}

fn main() {}
