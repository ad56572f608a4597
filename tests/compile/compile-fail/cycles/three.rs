use fraiseql_runtime::TView;

#[derive(TView)]
pub struct User {
    pub id: i64,
    pub name: String,
    #[tview(many(fk = "author_id"))]
    pub posts: Vec<Post>,
}

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(many(fk = "post_id"))]
    pub comments: Vec<Comment>,
}

#[derive(TView)]
pub struct Comment {
    pub id: i64,
    #[tview(one(fk = "author_id"))]
    pub author: Option<Box<User>>,
}

fn main() {}
