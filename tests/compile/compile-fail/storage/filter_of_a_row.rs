use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(index(on = "author_id", filter = "{}.author_id > 0", name = "some"))]
pub struct Post {
    pub id: i64,
    pub title: String,
    #[tview(filter)]
    pub author_id: i64,
}

fn main() {}
