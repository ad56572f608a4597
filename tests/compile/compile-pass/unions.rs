//! Unions need no other derives, and need not be public.

#![deny(warnings)]

use fraiseql_runtime::schema::Interface;
use fraiseql_runtime::{Embed, MemberOf, TUnion, TView};

#[derive(TView)]
pub struct Post {
    #[tview(key)]
    pub slug: String,
    pub title: String,
    pub r#type: i32,
    #[tview(one(fk = "author_id"))]
    pub author: Author,
}

#[derive(TView)]
pub struct Page {
    // A text is an `ID` where it is the key, as that of a post is.
    #[tview(key)]
    pub slug: String,
    pub title: Option<String>,
    pub r#type: i32,
    #[tview(one(fk = "author_id"))]
    pub author: Author,
}

/// Of several documents.
#[derive(Embed)]
#[tview(table = "tb_user")]
pub struct Author {
    pub id: i64,
}

// A private union, none of whose variants is used.
#[derive(TUnion)]
enum Found {
    Post(Box<Post>),
    Author(Author),
}

/// Others have it.
#[derive(Debug, Clone, Copy, TUnion)]
#[tview(interface)]
pub enum Empty {
    Author(Unit),
}

#[derive(Debug, Clone, Copy, Embed)]
#[tview(table = "tb_unit")]
pub struct Unit {
    pub id: i64,
}

#[derive(TUnion)]
#[tview(interface = "slug, type, author", type_name = "Content")]
#[allow(non_camel_case_types)]
pub enum r#type {
    r#move(Post),
    Page(crate::Page),
}

mod inner {
    // A union of structs of another module, visible there.
    #[derive(fraiseql_runtime::TUnion)]
    pub(super) enum Found {
        Post(super::Post),
    }
}

fn pair<U: TUnion, T: Embed + MemberOf<U>>() -> [&'static str; 2] {
    [U::UNION.type_name, T::SHAPE.name]
}

fn main() {
    assert_eq!(pair::<Found, Post>(), ["Found", "Post"]);
    assert_eq!(pair::<Found, Author>(), ["Found", "Author"]);
    assert_eq!(pair::<r#type, Page>(), ["Content", "Page"]);
    assert_eq!(pair::<inner::Found, Post>(), ["Found", "Post"]);
    assert_eq!(r#type::UNION.name, "type");
    assert_eq!(
        r#type::UNION.interface,
        Some(Interface::Fields(&["slug", "type", "author"]))
    );
    assert_eq!(Empty::UNION.docs, Some("Others have it."));
    assert_eq!(Empty::UNION.interface, Some(Interface::Common));
    assert_ne!(Found::UNION.id, inner::Found::UNION.id);
    let names: Vec<_> = Found::UNION.shapes().map(|shape| shape.name).collect();
    assert_eq!(names, ["Post", "Author"]);
}
