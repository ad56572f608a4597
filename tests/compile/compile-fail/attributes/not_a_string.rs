use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(table = tb_post)]
pub struct Post {
    pub id: i64,
    #[tview(column = 5)]
    pub title: String,
    #[tview(json)]
    pub body: String,
}

fn main() {}
