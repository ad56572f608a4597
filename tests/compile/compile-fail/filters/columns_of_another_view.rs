//! A list takes filters and orders of its own view.

use fraiseql_runtime::TView;
use fraiseql_runtime::list::List;

#[derive(TView)]
struct Post {
    id: i64,
    #[tview(sort)]
    title: String,
}

#[derive(TView)]
struct Comment {
    id: i64,
    #[tview(sort)]
    title: String,
}

fn main() {
    let _ = Post::list().filter(Comment::TITLE.eq("Notes"));
    let _ = Post::list().order_by(Comment::TITLE.asc());
    let _ = Post::ID.eq(7).and(Comment::ID.eq(7));
    let any: List = Post::list().of_any_view();
    let _ = any.filter(Post::ID.eq(7));
}
