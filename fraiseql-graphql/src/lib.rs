//! Documents in a GraphQL schema of [`async_graphql`]: types, root fields, and what the library
//! leaves to be done.
//!
//! A struct is an object type: its name is the struct's, or `type_name`; its fields are those of
//! the document, its description is its documentation. There is nothing to declare a second time.
//! The schema, validation, introspection, variables, fragments and directives are the library's.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
//! use async_graphql::{EmptyMutation, EmptySubscription, Schema};
//! use fraiseql_graphql::{Prepared, Query};
//!
//! #[derive(TView)]
//! pub struct Post {
//!     pub id: i64,
//!     pub title: String,
//!     #[tview(sort)]
//!     pub rating: i32,
//! }
//! # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, rating int4 NOT NULL);
//! #     INSERT INTO tb_post VALUES (7, 'Notes', 3), (8, 'More', 5)", async |pool| {
//! # migrate::<Post>(&pool).await;
//! # sync_all_posts(&pool).await?;
//! let schema = Schema::build(Query::<(Post,)>::new(pool), EmptyMutation, EmptySubscription)
//!     .extension(Prepared::default())
//!     .finish();
//!
//! let answer = schema
//!     .execute("{ post(id: 7) { title } best: posts(orderBy: [{rating: DESC}], limit: 1) { id } }")
//!     .await;
//! assert_eq!(
//!     serde_json::to_string(&answer)?,
//!     r#"{"data":{"post":{"title":"Notes"},"best":[{"id":8}]}}"#
//! );
//! # Ok(()) }) }
//! ```
//!
//! | | |
//! |---|---|
//! | [`Views`], [`Query`] | root fields that read the views of an application, one statement each |
//! | [`TvDoc`], [`TvList`], [`TvConnection`] | what resolvers of your own return |
//! | [`TvWhere`], [`TvOrderBy`] | what they take |
//! | [`Prepared`] | an extension that belongs to every schema with documents |
//! | [`response`] | writing a response without reading documents again |
//! | [`GraphQl`](](crate::http::GraphQl) | the endpoint, with the feature `http` |
//!
//! # How a document gets into an answer
//!
//! The field's selection set becomes a [`Selection`](fraiseql_runtime::Selection) (`asked`), which is compiled
//! against the struct's table; the [`Projection`](fraiseql_runtime::Projection) writes what is asked for out of
//! the bytes that the database sent, and those are a value of the library that is
//! [copied as it is](response). No resolver runs for a field of a document.
//!
//! A value that is null and cannot be makes the nearest object null that can be, and is an error
//! with its path, as the specification has it.
//!
//! # Keys
//!
//! The key of a document or a part is an `ID` where it is a string in JSON (UUIDs and texts), and
//! an `Int` where it is a number.

mod error;
#[cfg(feature = "http")]
pub mod http;
mod request;
mod resolve;
pub mod response;
mod schema;
mod spec;

pub use request::limits::DocumentLimits;
pub use request::prepared::Prepared;
pub use resolve::connection::TvConnection;
pub use resolve::document::{TvDoc, TvList};
pub use resolve::views::{Query, ViewSet, Views};
pub use schema::input::{TvOrderBy, TvWhere};
