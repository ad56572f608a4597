use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(index(on = "author_id"))]
#[tview(index(on = "author_id DESC, id"), index(on = "author_id, id"))]
#[tview(index(on = "id", name = "a"), index(on = "id DESC", name = "a"))]
pub struct Post {
    pub id: i64,
    pub title: String,
    #[tview(filter)]
    pub author_id: i64,
}

fn main() {}
