//! The derives check types, not their spelling: aliases are accepted.

use fraiseql_runtime::{Embed, TView};

type Key = i64;
type Name = String;
type MaybeName = Option<Name>;
type Names = Vec<MaybeName>;
type MaybeAuthor = Option<Author>;
type Boxed = Box<Author>;
type MaybeBoxed = Option<Box<Author>>;
type Comments = Vec<Comment>;
type Slice = Box<[Comment]>;
type Count = i32;
type Mean = Option<f64>;

#[derive(TView)]
pub struct Post {
    pub id: Key,
    #[tview(filter)]
    pub title: Name,
    pub subtitle: MaybeName,
    pub labels: Names,
    #[tview(one(fk = "author_id"))]
    pub author: Boxed,
    #[tview(one(fk = "editor_id"))]
    pub editor: MaybeAuthor,
    #[tview(one(fk = "reviewer_id"))]
    pub reviewer: MaybeBoxed,
    #[tview(many(fk = "post_id"))]
    pub comments: Comments,
    #[tview(many(fk = "post_id", limit = 1))]
    pub newest: Slice,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    pub comment_count: Count,
    #[tview(avg(table = "tb_rating", fk = "post_id", expr = "{}.stars"))]
    pub rating: Mean,
}

#[derive(Embed)]
pub struct Author {
    pub id: Key,
}

#[derive(Embed)]
pub struct Comment {
    pub id: Key,
    #[tview(one(fk = "author_id"))]
    pub author: MaybeBoxed,
}

fn main() {
    use fraiseql_runtime::schema::{One, Source};

    let nullable: Vec<bool> = Post::SHAPE
        .fields
        .iter()
        .filter_map(|field| match field.source {
            Source::One(One { nullable, .. }) => Some(nullable),
            _ => None,
        })
        .collect();
    assert_eq!(nullable, [false, true, true]);
}
