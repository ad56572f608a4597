use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(table = "app.\"tb_post", view = "\"app\"tv_post")]
pub struct Post {
    pub id: i64,
}

fn main() {}
