use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(table = "tb_post" view = "tv_post")]
pub struct Post {
    pub id: i64,
}

fn main() {}
