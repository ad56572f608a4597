use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(column = "post_no")]
    pub number: i64,
    #[tview(values(table = "tb_tag", fk = "post_no", key = "number", column = "name"))]
    pub tags: Vec<String>,
}

fn main() {}
