//! Lists of documents: filtered, ordered, and read page by page.
//!
//! A list can be filtered by promoted fields and by the key, and ordered by fields with
//! `#[tview(sort)]` and by the key. Reading a list is one statement; that of a page starts at the page's
//! cursor by an index scan, however far into the list it is.
//!
//! Fields are the constants that the derive emits, each a [`Column`]: `Post::RATING` for `rating`. For what is only
//! known at run time, such as the arguments of a request, a [`Filter`] and an [`OrderBy`] name fields as in the
//! document, and are checked when the list is read.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
//! use fraiseql_runtime::list::{Filter, Operator, Page};
//!
//! #[derive(TView)]
//! pub struct Post {
//!     pub id: i64,
//!     pub title: String,
//!     #[tview(filter)]
//!     pub published: bool,
//!     #[tview(sort)]
//!     pub rating: i32,
//! }
//! # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL,
//! #         published boolean NOT NULL, rating int4 NOT NULL);
//! #     INSERT INTO tb_post VALUES (7, 'Notes', true, 3), (8, 'More', false, 4), (9, 'Less', true, 5)",
//! #     async |pool| {
//! # migrate::<Post>(&pool).await;
//! # sync_all_posts(&pool).await?;
//! let list = Post::list()
//!     .filter(Post::PUBLISHED.eq(true).or(Post::RATING.gte(5)))
//!     .order_by(Post::RATING.desc());
//!
//! let posts: Vec<Post> = list.clone().limit(10).fetch(&pool).await?;
//! assert_eq!(posts[0].title, "Less");
//!
//! // The same filter by names.
//! let named = Filter::any([
//!     Filter::eq("published", true),
//!     Filter::compare("rating", Operator::Gte, 5),
//! ]);
//! assert_eq!(Post::list().filter(named).read(&pool).await?.len(), 2);
//!
//! // As they are stored, without parsing them: to send them on.
//! for document in &list.read(&pool).await? {
//!     assert!(document.json().starts_with(b"{"));
//! }
//!
//! // Page by page: each page starts after the last document of the previous one.
//! let first = list.page(Page::first(1), &pool).await?;
//! assert!(first.has_next());
//! let second = list.page(Page::first(1).after(first.end().cloned()), &pool).await?;
//! assert!(!second.has_next());
//! # Ok(()) }) }
//! ```
//!
//! Stale documents are built from the base tables, as in [`TView::find`](crate::TView::find). They
//! are filtered and ordered by the columns that are stored with them.

mod builder;
mod condition;
mod cursor;
mod encode;
mod error;
mod fields;
mod filter;
pub(crate) mod kept;
mod limits;
mod operator;
mod order;
mod page;
mod parameters;
mod prune;
mod spec;
mod statement;
mod typed;
pub(crate) mod unless;
mod within;

pub use builder::List;
pub use cursor::Cursor;
pub(super) use encode::BinaryValue;
pub use error::ListError;
pub use fields::{filterable, sortable};
pub use filter::Filter;
pub use operator::Operator;
pub use order::{Direction, Nulls, OrderBy};
pub use page::{DocumentPage, Documents, Page};
pub use typed::{
    AnyView, CanFilter, CanOrder, Column, FilterAndOrder, FilterOf, FilterOnly, IntoFilter,
    IntoOrder, NoColumn, Operand, Operands, OrderOf,
};
pub use within::{embedded, filterable_in, searches};
