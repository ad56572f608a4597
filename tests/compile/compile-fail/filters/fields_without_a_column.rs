//! Lists are filtered and ordered by columns of the view table.

use fraiseql_runtime::TView;

#[derive(TView)]
struct Post {
    id: i64,
    title: String,
    #[tview(filter)]
    published: bool,
}

fn main() {
    let _ = Post::list()
        .filter(Post::TITLE.like("No%"))
        .order_by(Post::PUBLISHED.desc())
        .order_by(Post::TITLE.asc());
}
