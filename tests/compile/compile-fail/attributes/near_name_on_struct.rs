use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(tabel = "tb_post")]
pub struct Post {
    pub id: i64,
}

fn main() {}
