use fraiseql_runtime::{TUnion, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub title: String,
}

#[derive(TView)]
pub struct User {
    pub id: i64,
    pub name: String,
}

#[derive(TUnion)]
pub enum Target {
    Post(Post),
    User(User),
}

#[derive(TView)]
pub struct Like {
    pub id: i64,
    #[tview(one(fk = "target_id"))]
    pub target: Target,
    #[tview(many(fk = "like_id"))]
    pub others: Vec<Target>,
}

fn main() {}
