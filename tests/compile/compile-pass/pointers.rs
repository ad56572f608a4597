//! Types that can contain parts: pointers to one, slices of many, and aliases of all.

use std::sync::Arc;

use fraiseql_runtime::{Embed, TView};

type Shared = Arc<Author>;
type MaybeShared = Option<Shared>;
type SharedList = Arc<[Comment]>;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    #[tview(one(fk = "author_id"))]
    pub author: Arc<Author>,
    #[tview(one(fk = "author_id"))]
    pub same_author: Shared,
    #[tview(one(fk = "editor_id"))]
    pub editor: Option<Arc<Author>>,
    #[tview(one(fk = "editor_id"))]
    pub same_editor: MaybeShared,
    #[tview(one(fk = "reviewer_id"))]
    pub reviewer: Box<Author>,
    #[tview(one(fk = "reviewer_id"))]
    pub same_reviewer: Option<Box<Author>>,
    #[tview(many(fk = "post_id"))]
    pub comments: Vec<Comment>,
    #[tview(many(fk = "post_id"))]
    pub boxed: Box<[Comment]>,
    #[tview(many(fk = "post_id"))]
    pub shared: Arc<[Comment]>,
    #[tview(many(fk = "post_id"))]
    pub same: SharedList,
    #[tview(many(fk = "post_id"))]
    pub each: Vec<Arc<Comment>>,
    #[tview(many(fk = "post_id"))]
    pub both: Arc<[Box<Comment>]>,
}

#[derive(Embed)]
pub struct Author {
    pub id: i64,
}

#[derive(Embed)]
pub struct Comment {
    pub id: i64,
}

fn main() {}
