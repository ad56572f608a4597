use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(index(on = "author_id", using = "gin", name = "a"), index(on = "author_id", using = "gist", name = "b"))]
pub struct Post {
    pub id: i64,
    pub title: String,
    #[tview(filter)]
    pub author_id: i64,
}

fn main() {}
