use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(colum = "headline")]
    pub title: String,
}

fn main() {}
