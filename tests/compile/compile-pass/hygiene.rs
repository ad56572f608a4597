//! The scope of the struct does not matter: no prelude, another name for the runtime, and names of
//! the standard library with other meanings.

#![no_implicit_prelude]
#![allow(dead_code, non_camel_case_types, non_snake_case, unused_imports)]

extern crate fraiseql_runtime as renamed;

mod hostile {
    pub struct Option;
    pub struct Vec;
    pub struct String;
    pub struct Result;
    pub fn Some() {}
    pub fn None() {}
    pub fn Ok() {}
    pub fn Err() {}
    pub mod std {}
    pub mod core {}
    pub mod alloc {}
    pub mod serde {}
    pub mod sqlx {}
    pub mod fraiseql_runtime {}
    pub trait Embed {}
    pub trait TView {}
    pub trait Scalar {}
    pub trait TEnum {}
    pub trait TScalar {}
    pub trait TUnion {}
    pub trait MemberOf {}
    pub struct Child;
    pub struct __Member_Post;
    pub trait Key {}
    pub trait Iterator {}
    pub trait Serialize {}
    pub trait Deserialize {}
    pub trait Children {}
    pub trait NoRelation {}
    pub mod __private {}
    pub mod columns {}
    pub mod shape_of {}
    pub mod proof {}
    pub mod diagnostic {}
    pub struct __Whole;
    pub struct __Field_id;
    pub struct __Part_author;
    pub struct Box;
    pub struct Arc;
    pub fn sync_post() {}
    pub fn sync_all_posts() {}
    pub fn delete_post() {}
    pub fn panic() {}
}

use hostile::*;

#[derive(renamed::TView)]
#[tview(crate = ::renamed, index(on = "state", global))]
pub struct Ticket {
    pub id: i64,
    #[tview(tenant)]
    pub org: ::std::string::String,
    #[tview(filter, hidden, index = false)]
    pub state: ::std::option::Option<::std::string::String>,
}

#[derive(renamed::TView)]
#[tview(crate = ::renamed, table = "app.tb_post", filter = "published")]
#[tview(
    index(on = "title DESC, id", filter = "id > 0"),
    index(gin = "author.id")
)]
#[tview(
    index(expr = "lower(title)"),
    index(fulltext = "title, slug"),
    unlogged
)]
pub struct Post {
    pub id: i64,
    #[tview(filter, sort, unique)]
    pub title: ::std::string::String,
    #[tview(skip)]
    pub seen: ::std::option::Option<i64>,
    #[tview(expr = "lower({}.title)")]
    pub slug: ::std::option::Option<::std::string::String>,
    pub author_id: i32,
    #[tview(one(fk = "author_id", key = "id"))]
    pub author: ::std::option::Option<Author>,
    #[tview(one(fk = "author_id"))]
    pub card: ::std::sync::Arc<Card>,
    #[tview(many(fk = "post_id", order_by = "created_at DESC NULLS LAST", limit = 5))]
    pub comments: ::std::vec::Vec<Comment>,
    #[tview(many(fk = "post_title", key = "title"))]
    pub named: ::std::boxed::Box<[Comment]>,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    pub tags: ::std::vec::Vec<Comment>,
    #[tview(values(
        table = "tb_comment",
        fk = "post_id",
        column = "id",
        order_by = "id DESC"
    ))]
    pub comment_ids: ::std::vec::Vec<i64>,
    #[tview(first(fk = "post_id", order_by = "id"))]
    pub comment: ::std::option::Option<Comment>,
    #[tview(many(fk = "post_id", order_by = "count"))]
    pub kinds: ::std::vec::Vec<Kind>,
    #[tview(exists(
        table = "tb_comment",
        fk = "part_id",
        through(table = "tb_part", fk = "post_id")
    ))]
    pub has_comments: bool,
    #[tview(count(table = "tb_comment", fk = "post_id", key = "id"))]
    pub comment_count: i64,
}

/// What is found.
#[derive(renamed::TUnion)]
#[tview(crate = ::renamed, interface)]
pub enum Found {
    Post(::std::boxed::Box<Post>),
    Comment(Comment),
}

#[derive(renamed::TUnion)]
#[tview(crate = renamed, interface = "id")]
pub enum Content {
    Post(Post),
}

#[derive(renamed::Embed)]
#[tview(crate = ::renamed, table = "tb_comment", group_by = "kind")]
pub struct Kind {
    pub kind: ::std::string::String,
    #[tview(count)]
    pub count: i64,
}

#[derive(renamed::TView)]
#[tview(crate = ::renamed, partition(range = "10, 20"), fillfactor = 70)]
pub struct Event {
    pub id: i64,
}

#[derive(renamed::Embed)]
#[tview(crate = renamed)]
pub struct Author {
    pub id: i64,
}

#[derive(renamed::Embed)]
#[tview(crate = crate::renamed)]
pub struct Comment {
    pub id: i64,
}

#[derive(renamed::Embed)]
#[tview(crate = renamed, shape_of = Author, table = "public.tb_author", filter = "true")]
pub struct Card {
    #[tview(key)]
    pub id: i64,
}

#[derive(renamed::TScalar)]
#[tview(crate = ::renamed, type_name = "PlaceId")]
pub struct Id(i64);

#[derive(renamed::TScalar)]
#[tview(crate = renamed)]
pub struct Named {
    r#type: ::std::string::String,
}

#[derive(renamed::TEnum)]
#[tview(crate = crate::renamed)]
pub enum State {
    Option,
    Some,
    r#None,
    #[tview(rename = "x")]
    String,
}

#[derive(renamed::TView)]
#[tview(crate = ::renamed)]
pub struct Place {
    pub id: Id,
    #[tview(filter)]
    pub name: Named,
    #[tview(sort)]
    pub state: ::std::option::Option<State>,
    pub states: ::std::vec::Vec<State>,
}

fn main() {}
