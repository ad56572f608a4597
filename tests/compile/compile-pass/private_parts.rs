//! A public view with private parts.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
}

#[derive(Embed)]
struct Author {
    id: i64,
}

#[derive(Embed)]
struct Comment {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: Box<Author>,
}

fn main() {
    let _ = |post: Post| {
        (
            post.author.id,
            post.comments[0].author.id,
            post.comments[0].id,
        )
    };
}
