use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(index(gin = "comments.text"))]
pub struct Post {
    pub id: i64,
    pub title: String,
    #[tview(filter)]
    pub author_id: i64,
    #[tview(many(fk = "post_id"))]
    pub comments: Vec<Comment>,
}

#[derive(fraiseql_runtime::Embed)]
pub struct Comment {
    pub text: String,
}

fn main() {}
