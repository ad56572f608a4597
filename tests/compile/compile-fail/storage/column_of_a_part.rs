use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(index(on = "author"))]
#[tview(index(on = "id", name = "by_key"))]
pub struct Post {
    pub id: i64,
    pub title: String,
    #[tview(filter)]
    pub author_id: i64,
    #[tview(one(fk = "author_id"))]
    pub author: Author,
}

#[derive(fraiseql_runtime::Embed)]
pub struct Author {
    pub id: i64,
}

fn main() {}
