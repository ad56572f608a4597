//! What is in scope where a struct stands does not matter: no prelude, another name for
//! the runtime, and names of the standard library that mean something else.

#![no_implicit_prelude]
#![allow(dead_code, non_snake_case, unused_imports)]

extern crate fraiseql_runtime as renamed;

mod hostile {
    pub struct Option;
    pub struct Vec;
    pub struct String;
    pub struct Result;
    pub struct Box;
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
    pub trait Key {}
    pub trait Iterator {}
    pub trait Serialize {}
    pub trait Deserialize {}
}

use hostile::*;

#[derive(renamed::TView)]
#[tview(crate = ::renamed, table = "app.tb_post", filter = "published")]
pub struct Post {
    pub id: i64,
    #[tview(filter, sort, unique)]
    pub title: ::std::string::String,
    #[tview(skip)]
    pub seen: ::std::option::Option<i64>,
    #[tview(expr = "lower({}.title)")]
    pub slug: ::std::option::Option<::std::string::String>,
    #[tview(one(fk = "author_id"))]
    pub author: ::std::option::Option<Author>,
    #[tview(many(fk = "post_id", order_by = "created_at DESC NULLS LAST", limit = 5))]
    pub comments: ::std::vec::Vec<Comment>,
    #[tview(many(through(table = "tb_post_tag", fk = "post_id", to = "tag_id")))]
    pub tags: ::std::vec::Vec<Comment>,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    pub comment_count: i64,
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
