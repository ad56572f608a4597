//! GraphQL for the documents of fraiseql-runtime: object types, root fields and an HTTP endpoint,
//! on [`async_graphql`].
//!
//! A view or a part is an object type of the schema, without a second declaration. The type's name
//! is the struct's, or `type_name`; its fields are those of the document; its descriptions are the
//! doc comments. async-graphql provides the schema, its execution and introspection; queries are
//! parsed and validated by [apollo-compiler](https://docs.rs/apollo-compiler).
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
//! let response = schema
//!     .execute("{ post(id: 7) { title } best: posts(orderBy: [{rating: DESC}], limit: 1) { id } }")
//!     .await;
//! assert_eq!(
//!     serde_json::to_string(&response)?,
//!     r#"{"data":{"post":{"title":"Notes"},"best":[{"id":8}]}}"#
//! );
//! # Ok(()) }) }
//! ```
//!
//! | item | purpose |
//! |---|---|
//! | [`Query`], [`Views`] | root fields that read the views of an application, one statement each; [`Views::scoped`], those of one tenant |
//! | [`Subscription`], [`Live`] | root fields of subscriptions, which send documents again when they have changed |
//! | [`TvDoc`], [`TvList`], [`TvConnection`] | return values of your own resolvers |
//! | [`TvAny`] | a document of any member of a union or an interface, as the return value of a resolver |
//! | [`TvChanges`] | the documents that a mutation has changed, for the caches of clients |
//! | [`TvWhere`], [`TvOrderBy`], [`TvEnum`] | arguments of your own resolvers |
//! | [`TvExtended`] | fields of your own at the object types of documents |
//! | [`mod@position`] | reads on replicas that see the client's own writes |
//! | [`WithNode`] | the root field `node(id: ID!)`, for clients as Relay |
//! | [`Federated`] | the views of a schema as entities of a subgraph of Apollo Federation |
//! | [`Prepared`] | the extension that every schema with documents needs |
//! | [`DocumentLimits`] | limits on the size of a GraphQL document |
//! | [`response`] | serialization of responses without parsing documents |
//! | [`http::GraphQl`] | the endpoint, with the feature `http` |
//!
//! # How a document gets into a response
//!
//! 1. The selection set of the field becomes a [`Selection`](fraiseql_runtime::Selection). Fields
//!    that share a response key are merged into one.
//! 2. The selection is compiled against the struct's constant table. The resulting
//!    [`Projection`](fraiseql_runtime::Projection) is kept with the cached query.
//! 3. The projection copies the selected fields from the bytes that the database sent. No resolver
//!    runs for a field of a document.
//! 4. The bytes become one value of async-graphql, which [`response`] copies into the response.
//!
//! If a value is null and its field is not nullable, the nearest nullable object around it becomes
//! null, and the response has an error with the path of the value, as the specification requires.
//!
//! # Keys
//!
//! The key of a view or a part has the type `ID` if it is a string in JSON (UUID and text keys),
//! `Int` if it is an `i16` or an `i32`, and `BigInt` if it is an `i64`.
//!
//! # Integers
//!
//! GraphQL's `Int` has 32 bits. Fields of type `i16` and `i32` are `Int`; fields of type `i64`, which
//! are also those of a `count`, are `BigInt`, a scalar of this crate. It is sent as a number, or as a
//! string with [`Prepared::big_ints_as_strings`], and read in both forms.

// On docs.rs, each item shows the feature that it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod budget;
mod error;
#[cfg(feature = "http")]
pub mod http;
mod request;
mod resolve;
pub mod response;
mod schema;
mod spec;

pub use request::limits::DocumentLimits;
pub use request::position;
pub use request::prepared::Prepared;
pub use request::tenant::RequestData;
pub use resolve::any::TvAny;
pub use resolve::changes::value::TvChanges;
pub use resolve::connection::TvConnection;
pub use resolve::document::{TvDoc, TvList};
pub use resolve::federation::root::{Federated, FederatedRoot};
pub use resolve::live::root::{Live, Subscription};
pub use resolve::node::WithNode;
pub use resolve::views::root::{Query, Views};
pub use resolve::views::view_set::{UntenantedViews, ViewSet, ViewsOfTenant};
pub use schema::enums::TvEnum;
pub use schema::extension::TvExtended;
pub use schema::input::{TvOrderBy, TvWhere};
