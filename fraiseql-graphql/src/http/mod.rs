//! GraphQL over HTTP: an endpoint for axum that serves any schema of async-graphql.
//!
//! It follows the draft specification [GraphQL over
//! HTTP](https://graphql.github.io/graphql-over-http/draft/) and passes the audits of
//! `graphql-http`.
//!
//! ```
//! use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Schema};
//! use axum::Router;
//! use axum::http::StatusCode;
//! use fraiseql_graphql::http::GraphQl;
//! use std::time::Duration;
//!
//! #[derive(Clone)]
//! struct User(String);
//!
//! struct Query;
//!
//! #[Object]
//! impl Query {
//!     async fn hello(&self, ctx: &Context<'_>) -> async_graphql::Result<String> {
//!         Ok(format!("Hello, {}!", ctx.data::<User>()?.0))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
//!     .limit_depth(12)
//!     .limit_complexity(1_000)
//!     .finish();
//!
//! let endpoint = GraphQl::new(schema)
//!     .timeout(Duration::from_secs(10))
//!     .with_data(|parts| {
//!         let user = parts.headers.get("x-user").and_then(|name| name.to_str().ok());
//!         let user = user.map(|name| User(name.to_owned()));
//!         // A real application looks up a session here.
//!         async move { user.ok_or(StatusCode::UNAUTHORIZED) }
//!     });
//! let app: Router = Router::new().route_service("/graphql", endpoint);
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! let server = tokio::spawn(axum::serve(listener, app).into_future());
//!
//! # use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
//! # let mut client = tokio::net::TcpStream::connect(address).await?;
//! let request = "GET /graphql?query={hello} HTTP/1.1\r\n\
//!                Host: localhost\r\n\
//!                Connection: close\r\n\
//!                X-User: Ada\r\n\r\n";
//! # client.write_all(request.as_bytes()).await?;
//! # let mut answer = String::new();
//! # client.read_to_string(&mut answer).await?;
//! assert!(answer.starts_with("HTTP/1.1 200 OK"));
//! assert!(answer.ends_with(r#"{"data":{"hello":"Hello, Ada!"}}"#));
//! # server.abort();
//! # Ok(()) }
//! ```
//!
//! # Responses
//!
//! | | `application/graphql-response+json` | `application/json` |
//! |---|---|---|
//! | executed, also with errors of fields | 200, `data` | 200, `data` |
//! | the same with GET, if the client [has it already](GraphQl::etags) | 304, no body | 304, no body |
//! | the query cannot be parsed, is not valid, or exceeds the limits | 400, no `data` | 200, no `data` |
//! | not JSON, no `query`, or a parameter of the wrong type | 400, no `data` | 400, no `data` |
//! | both `query` and `documentId`, or a `documentId` that is no identifier | 400 | 400 |
//! | an unknown `documentId` | 404 | 404 |
//! | another document than a trusted one, with [`only_trusted`](GraphQl::only_trusted) | 403 | 403 |
//! | an unknown hash of an [automatic persisted query](GraphQl::automatic_persisted_queries) | 400, no `data` | 200, no `data` |
//! | a mutation with GET; a method other than GET, HEAD, POST, OPTIONS | 405, `Allow` | 405, `Allow` |
//! | the client accepts neither of the two | | 406 |
//! | the body was not sent in time | 408 | 408 |
//! | the body is too large | 413 | 413 |
//! | the body is not `application/json` in UTF-8, or is compressed | 415 | 415 |
//! | a resolver panicked, or values of your resolvers are larger than a response may be | 500 | 500 |
//! | not answered in time | 504 | 504 |
//! | refused by [`with_data`](GraphQl::with_data) | the status of the [`Refusal`] | the status of the [`Refusal`] |
//!
//! The client chooses between the two media types with `Accept`. The default is `application/json`.
//! Every response is a GraphQL response, errors included, with a code in `extensions`. Those about unknown
//! documents and hashes have `Cache-Control: no-store`, since they may be known soon.
//!
//! In a batch, a request that names an unknown document has that error as its response.
//!
//! # Defaults
//!
//! | | default | setting |
//! |---|---|---|
//! | size of a body | 1 MiB | [`max_body`](GraphQl::max_body) |
//! | size of a response | 16 MiB | [`max_response`](GraphQl::max_response) |
//! | bytes that are held for all requests | 256 MiB | [`max_in_flight`](GraphQl::max_in_flight) |
//! | time for a request | 30 s | [`timeout`](GraphQl::timeout) |
//! | size of a GraphQL document | see [`DocumentLimits`] | [`limits`](GraphQl::limits) |
//! | number of cached queries | 1,000 | [`keep`](GraphQl::keep) |
//! | several requests in one body | refused | [`max_batch`](GraphQl::max_batch) |
//! | documents other than [trusted](GraphQl::trusted) ones | allowed | [`only_trusted`](GraphQl::only_trusted) |
//! | automatic persisted queries | off | [`automatic_persisted_queries`](GraphQl::automatic_persisted_queries) |
//! | introspection | on | [`introspection`](GraphQl::introspection) |
//! | `ETag` and 304 | on, for GET | [`etags`](GraphQl::etags) |
//! | internal errors | hidden | [`expose_errors`](GraphQl::expose_errors) |
//! | GraphiQL | off | [`graphiql`](GraphQl::graphiql) |
//!
//! Limits on the cost of a query belong to the schema: `limit_depth`, `limit_complexity` and
//! `limit_directives` of async-graphql's `SchemaBuilder`. With [`Prepared`](crate::Prepared), they do
//! not apply to introspection, which has limits of its own. Without it, if introspection is off,
//! `disable_suggestions` keeps "did you mean" from revealing names.
//!
//! # Subscriptions
//!
//! A request that accepts `text/event-stream` is answered with server-sent events, in the protocol of `graphql-sse` (each
//! request is a stream of its own): an event `next` for each response, and `complete` at the end. With the feature
//! `websocket`, the endpoint speaks `graphql-transport-ws`, the protocol of `graphql-ws`. What is not a subscription has one
//! response there.
//!
//! | | default | setting |
//! |---|---|---|
//! | silence after which the other side is asked for a sign of life | 20 s | [`keep_alive`](GraphQl::keep_alive) |
//! | the hooks are asked again | every 10 s, before a response | [`recheck`](GraphQl::recheck) |
//! | operations of a WebSocket at once | 100 | `max_operations` |
//! | pages of other origins that open a WebSocket | refused with 403 | `allow_origin` |
//! | time until the first message of a WebSocket | 30 s | [`timeout`](GraphQl::timeout) |
//!
//! Each response has the [size](GraphQl::max_response) of one. A stream ends when the `Server` of the feature `server` shuts
//! down; other servers would wait for it, and have to drop their connections.
//!
//! # Cross-site requests
//!
//! A page of another site can make a browser send a GET or an HTML form with the user's cookies. A
//! GET cannot execute a mutation, and a form is refused: a POST has to be `application/json`, for
//! which the browser first sends a preflight request. The endpoint does not allow it. To serve
//! browsers of other origins, add `CorsLayer` of tower-http. Its `CompressionLayer` compresses
//! responses, its `RequestDecompressionLayer` accepts compressed bodies (the size limit applies to
//! the decompressed bytes), its `TraceLayer` traces requests. Any page can open a WebSocket, so its `Origin` has to be that
//! of the server, or one that the application allows.
//!
//! # Not covered
//!
//! The time limit begins with the body. The time for the headers, the time in which a client does not
//! read the response, and the number of connections are limits of the server: `Server`, with the
//! feature `server`, has them, and `axum::serve` has not.
//!
//! A query that async-graphql's extension `ApolloPersistedQueries` has stored
//! can be named with POST, and not with GET, since it may be a mutation;
//! [`automatic_persisted_queries`](GraphQl::automatic_persisted_queries), which need no extension, with both.

mod accept;
mod automatic;
mod body;
mod deadline;
mod encode;
mod endpoint;
mod etag;
mod graphiql;
mod internal_error;
mod lookup;
mod mask;
mod position;
mod precheck;
mod refusal;
mod request;
#[cfg(feature = "server")]
mod server;
mod service;
mod settings;
mod stream;
mod trusted;

pub use crate::request::limits::DocumentLimits;
pub use endpoint::GraphQl;
pub use internal_error::InternalError;
pub use refusal::Refusal;
#[cfg(feature = "server")]
pub use server::Server;
pub use trusted::{TrustedDocuments, TrustedError, TrustedErrors};
