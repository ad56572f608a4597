use fraiseql_runtime::TView;

#[derive(TView)]
pub struct User {
    pub id: i64,
    #[tview(many(fk = "author_id"))]
    pub posts: Vec<Post>,
}

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(one(fk = "author_id"))]
    pub author: Box<User>,
}

fn main() {}
