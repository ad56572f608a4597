//! A field that was renamed or removed, and those that are no columns: a part, a global id.

use fraiseql_runtime::{Embed, GlobalId, TView};

#[derive(TView)]
struct Post {
    id: i64,
    #[tview(sort)]
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(global_id)]
    gid: GlobalId,
}

#[derive(Embed)]
struct Author {
    id: i64,
}

fn main() {
    let _ = Post::HEADLINE.eq("Notes");
    let _ = Post::AUTHOR.eq(7);
    let _ = Author::ID.eq(7);
    let _ = Post::GID.eq(GlobalId::of::<Post>(&7));
}
