use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(one(fk = "author_id"))]
    pub author: Option<Author>,
}

pub struct Author {
    pub id: i64,
}

fn main() {}
