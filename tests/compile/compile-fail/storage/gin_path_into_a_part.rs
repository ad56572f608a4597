use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(index(gin = "author.full_name"), index(fulltext = "author.fullname"))]
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
    pub full_name: String,
}

fn main() {}
