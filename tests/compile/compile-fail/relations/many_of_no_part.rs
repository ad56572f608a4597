use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(many(fk = "post_id"))]
    pub comments: Vec<Comment>,
}

pub struct Comment {
    pub id: i64,
}

fn main() {}
