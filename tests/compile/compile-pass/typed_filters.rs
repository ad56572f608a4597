//! The constants of fields warn of nothing, whether they are used or not, and take values of many forms.

#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    unused_qualifications
)]
#![allow(dead_code)]

use fraiseql_runtime::list::{Filter, FilterOf, List, Nulls, OrderBy};
use fraiseql_runtime::scalar::ListValue;
use fraiseql_runtime::{TEnum, TScalar, TView};
use uuid::Uuid;

mod unused {
    use fraiseql_runtime::TView;

    /// A struct with fields that nothing reads.
    #[derive(TView)]
    struct Secret {
        id: i64,
        #[tview(filter)]
        title: String,
        hidden: Kind,
    }

    #[derive(fraiseql_runtime::TEnum)]
    enum Kind {
        Draft,
    }
}

/// A newtype.
#[derive(Debug, TScalar)]
pub struct Email(String);

/// An enum.
#[derive(Clone, Copy, Debug, TEnum)]
pub enum Status {
    /// Not published.
    Draft,
    /// Published.
    Published,
}

/// Its type is of a type of its own.
#[derive(Debug, TScalar)]
pub struct Address(Email);

/// A newtype of a list.
#[derive(Debug, TScalar)]
pub struct Labels(Vec<String>);

impl ListValue for Labels {
    type Element = String;
}

type Maybe<T> = Option<T>;

/// A view.
#[derive(Debug, TView)]
pub struct Post {
    /// The key.
    pub id: Uuid,
    /// A name that is a keyword.
    #[tview(sort)]
    pub r#type: String,
    #[tview(filter)]
    pub(crate) email: Email,
    #[tview(filter)]
    address: Maybe<Address>,
    /// An enum.
    #[tview(filter)]
    pub status: Maybe<Status>,
    #[tview(filter)]
    tags: Vec<String>,
    #[tview(filter)]
    labels: Maybe<Labels>,
    /// A constant of the trait has this name.
    #[tview(filter)]
    pub view: bool,
    /// So have these.
    pub own: i32,
    /// A constant of [`fraiseql_runtime::Embed`].
    pub is_view: bool,
    /// A constant of the definition.
    pub definition: String,
}

fn filters(tags: &[String], ids: &[Uuid], optional: Option<&str>) -> List<Post> {
    let first: Option<&String> = tags.first();
    let mut list = Post::list()
        .filter(
            Post::TYPE
                .eq("a")
                .or(Post::TYPE.eq(String::new()))
                .or(first.map_or_else(|| Post::TYPE.eq("b"), |tag| Post::TYPE.eq(tag))),
        )
        .filter(
            Post::TYPE
                .is_in(["a", "b"])
                .and(Post::TYPE.is_in(vec![String::new()])),
        )
        .filter(
            Post::TYPE
                .is_in(&["a", "b"])
                .and(Post::TYPE.is_not_in(tags)),
        )
        .filter(
            Post::ID
                .is_in(ids)
                .and(Post::ID.is_not_in(ids.iter().copied())),
        )
        .filter(!Post::EMAIL.eq(Email(String::new())))
        .filter(Post::EMAIL.like("%@example.org").not())
        .filter(Post::ADDRESS.is_null().or(Post::ADDRESS.ilike("a%")))
        .filter(
            Post::STATUS
                .eq(Status::Draft)
                .or(Post::STATUS.is_in([&Status::Published])),
        )
        .filter(
            Post::TAGS
                .eq(tags)
                .or(Post::TAGS.ne(["a".to_owned()]))
                .or(Post::TAGS.eq(vec![]))
                .or(Post::TAGS.contains(tags))
                .or(Post::TAGS.contains(tags.iter()))
                .or(Post::TAGS.has_any(["a"]))
                .or(Post::TAGS.has_any(vec!["a".to_owned()]))
                .or(Post::TAGS.has_any(optional))
                .or(Post::LABELS.has_any(["a"])),
        )
        .filter(Post::VIEW_.eq(Post::VIEW.indexes.is_empty()))
        .filter(Filter::eq("type", "a"))
        .order_by(Post::TYPE.desc().nulls(Nulls::Last))
        .order_by(OrderBy::asc("id"));
    if let Some(text) = optional {
        list = list.filter(Post::TYPE.gte(text));
    }
    let any: FilterOf<Post> = FilterOf::any(ids.iter().map(|id| Post::ID.eq(id)));
    list.filter(any)
}

fn main() {
    let list = filters(&[], &[], Some("a"));
    assert!(list.sql().unwrap().contains("tv_post"));
    let names = (
        Post::OWN_.name(),
        Post::IS_VIEW_.name(),
        Post::DEFINITION_.name(),
    );
    assert_eq!(names, ("own", "isView", "definition"));
}
