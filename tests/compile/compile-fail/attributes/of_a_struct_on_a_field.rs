use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(table = "tb_user")]
    pub title: String,
}

fn main() {}
