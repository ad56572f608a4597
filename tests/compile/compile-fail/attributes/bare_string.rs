use fraiseql_runtime::TView;

#[derive(TView)]
#[tview("tb_post")]
pub struct Post {
    pub id: i64,
}

fn main() {}
