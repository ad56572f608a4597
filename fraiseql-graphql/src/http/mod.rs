//! GraphQL over HTTP: an endpoint for axum, over any schema of async-graphql.
//!
//! It follows the [GraphQL over HTTP](https://graphql.github.io/graphql-over-http/draft/) draft,
//! and passes the audits of `graphql-http`.
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
//!         // Here a session would be looked up.
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
//! # What it answers
//!
//! | | `application/graphql-response+json` | `application/json` |
//! |---|---|---|
//! | executed, also with errors of fields | 200, `data` | 200, `data` |
//! | cannot be parsed, is not valid, is too large a document | 400, no `data` | 200, no `data` |
//! | no JSON, no `query`, a parameter of another type | 400, no `data` | 400, no `data` |
//! | a mutation with GET; a method other than GET, HEAD, POST, OPTIONS | 405, `Allow` | 405, `Allow` |
//! | accepts neither of the two | | 406 |
//! | the body was not sent in time | 408 | 408 |
//! | the body is too large | 413 | 413 |
//! | the body is not `application/json` in UTF-8, or is compressed | 415 | 415 |
//! | a resolver panicked | 500 | 500 |
//! | not answered in time | 504 | 504 |
//! | refused by [`with_data`](GraphQl::with_data) | as that says | as that says |
//!
//! The client chooses between the two with `Accept`; one that does not say gets
//! `application/json`. Every answer is an object in the form of GraphQL, errors included, with a
//! code in `extensions`.
//!
//! # Defaults
//!
//! | | by default | |
//! |---|---|---|
//! | size of a body | 1 MiB | [`max_body`](GraphQl::max_body) |
//! | time | 30 s | [`timeout`](GraphQl::timeout) |
//! | size of a document | see there | [`DocumentLimits`] |
//! | several requests in one | refused | [`max_batch`](GraphQl::max_batch) |
//! | introspection | on | [`introspection`](GraphQl::introspection) |
//! | errors that were not made for clients | hidden | [`expose_errors`](GraphQl::expose_errors) |
//! | page of GraphiQL | off | [`graphiql`](GraphQl::graphiql) |
//!
//! What a query may cost is the schema's to say: `limit_depth`, `limit_complexity`,
//! `limit_directives` of async-graphql's `SchemaBuilder`. With introspection switched off, its
//! `disable_suggestions` keeps "did you mean" from telling names.
//!
//! # Other sites
//!
//! A page of another site can make a browser send a GET, or a form, with the user's cookies. A
//! GET changes nothing here, and a form is refused: a POST has to be `application/json`, for which
//! a browser asks first. Nothing here answers that question with yes: for browsers of other
//! origins, add `CorsLayer` of tower-http. Its `CompressionLayer` compresses answers, its
//! `RequestDecompressionLayer` takes compressed bodies (the limit counts what comes out of it),
//! its `TraceLayer` traces requests.
//!
//! The time limit begins with the body. That headers are sent in time, and how many connections
//! there may be, is the server's to limit.
//!
//! Subscriptions are not served. A document that async-graphql's `ApolloPersistedQueries` has
//! stored can be named with POST, and not with GET, where it might be a mutation.

mod accept;
mod answer;
mod graphiql;
mod mask;
mod refusal;
mod request;
mod service;
mod settings;

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Data, Executor};
use axum::http::request::Parts;

pub use crate::DocumentLimits;
pub use mask::InternalError;
pub use refusal::Refusal;

use crate::request::query_cache::Queries;
use settings::{Fill, Settings};

/// An endpoint that serves a schema over HTTP: a service, for axum's
/// [`Router::route_service`](axum::Router::route_service) or anything else that takes one.
///
/// The [module](self) says what it answers, and what it refuses by default.
#[derive(Clone, Debug)]
#[must_use = "an endpoint does nothing until it is routed to"]
pub struct GraphQl<E> {
    executor: E,
    settings: Arc<Settings>,
}

impl<E: Executor> GraphQl<E> {
    /// An endpoint over a schema, or another executor of async-graphql.
    pub fn new(executor: E) -> Self {
        Self {
            executor,
            settings: Arc::default(),
        }
    }

    fn with(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(Arc::make_mut(&mut self.settings));
        self
    }

    /// Whether a browser is shown the page of GraphiQL. Off by default.
    ///
    /// Its scripts come from unpkg.com: the browser that opens it needs the internet.
    pub fn graphiql(self, on: bool) -> Self {
        self.with(|settings| settings.graphiql = on)
    }

    /// Whether clients may ask for the schema. On by default. Where it is off, a document with
    /// `__schema` or `__type` in it is refused.
    pub fn introspection(self, on: bool) -> Self {
        self.with(|settings| settings.introspection = on)
    }

    /// How many bytes a body may have. 1 MiB by default.
    ///
    /// More is refused before it is read where the client says how much it is, else as soon as it
    /// is more. With compression, it is the bytes after.
    pub fn max_body(self, bytes: usize) -> Self {
        self.with(|settings| settings.max_body = bytes)
    }

    /// How long a request may take, its body included. 30 seconds by default.
    ///
    /// What is executed is dropped then; a transaction that it has open is rolled back. The clock
    /// is tokio's, which the runtime must have switched on (`enable_time`). A thread that is kept
    /// busy cannot be stopped: that documents are small is what [`limits`](Self::limits) is for.
    pub fn timeout(self, limit: Duration) -> Self {
        self.with(|settings| settings.timeout = limit)
    }

    /// Takes a list of requests in one POST, this many at most, and answers with a list. They are
    /// executed at the same time. Off by default: the limits hold for each of them.
    pub fn max_batch(self, most: usize) -> Self {
        self.with(|settings| settings.max_batch = Some(most))
    }

    /// How large a GraphQL document may be.
    pub fn limits(self, limits: DocumentLimits) -> Self {
        self.with(|settings| {
            let keep = settings.queries.keep();
            settings.queries = Arc::new(Queries::new(limits, keep));
        })
    }

    /// Whether clients are told the messages of all errors: for development. Off by default.
    ///
    /// An error that a resolver makes of another one with `?` is not made for clients: it may
    /// have a table's name in it, or a value. They are told `internal error`, with
    /// `"extensions": {"code": "INTERNAL", "id": ".."}`. The log (feature `tracing`, target
    /// `fraiseql::http`) has the same id with the message and its causes. What
    /// `async_graphql::Error::new` makes is for clients, and they get it as it is; so is
    /// `error.extend_with(..)` of an error that is none of async-graphql's.
    ///
    /// `Err("not found".into())` is no such error: like `?`, it makes one of a source. Write
    /// `Err(Error::new("not found"))`.
    pub fn expose_errors(self, on: bool) -> Self {
        self.with(|settings| settings.expose_errors = on)
    }

    /// Calls a function with each error that is hidden from a client: to count them, or to log
    /// the causes of an error type of the application.
    ///
    /// ```
    /// # use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    /// # struct Query;
    /// # #[Object]
    /// # impl Query { async fn one(&self) -> i32 { 1 } }
    /// # let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    /// use fraiseql_graphql::http::GraphQl;
    ///
    /// let endpoint = GraphQl::new(schema).on_internal_error(|internal| {
    ///     let ours = internal.error.source::<anyhow::Error>();
    ///     let text = ours.map_or_else(|| internal.chain(), |error| format!("{error:#}"));
    ///     eprintln!("{}: {text}", internal.id);
    /// });
    /// ```
    pub fn on_internal_error(
        self,
        tell: impl Fn(&InternalError<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.on_internal_error = Some(Arc::new(tell)))
    }

    /// Puts something of the HTTP request into the data of the GraphQL request, where resolvers
    /// find it with `ctx.data::<D>()`; or refuses the request.
    ///
    /// It is called once for each HTTP request, before the body is read, and within the time
    /// limit. Several are called in the order in which they were added. What `axum` extractors
    /// and layers have left is in `parts.extensions`.
    ///
    /// ```
    /// # use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    /// # struct Query;
    /// # #[Object]
    /// # impl Query { async fn one(&self) -> i32 { 1 } }
    /// # let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    /// use axum::http::{HeaderValue, StatusCode, header};
    /// use fraiseql_graphql::http::{GraphQl, Refusal};
    ///
    /// #[derive(Clone)]
    /// struct UserId(i64);
    ///
    /// async fn user_of(token: &str) -> Option<UserId> {
    ///     (token == "Bearer secret").then_some(UserId(7))
    /// }
    ///
    /// let endpoint = GraphQl::new(schema).with_data(|parts| {
    ///     let token = parts.headers.get(header::AUTHORIZATION).cloned();
    ///     async move {
    ///         let token = token.as_ref().and_then(|token| token.to_str().ok());
    ///         user_of(token.unwrap_or_default()).await.ok_or_else(|| {
    ///             Refusal::new(StatusCode::UNAUTHORIZED, "sign in first")
    ///                 .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    ///         })
    ///     }
    /// });
    /// ```
    pub fn with_data<F, Fut, D, R>(self, hook: F) -> Self
    where
        F: Fn(&Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<D, R>> + Send + 'static,
        D: Any + Clone + Send + Sync,
        R: Into<Refusal>,
    {
        self.with(|settings| {
            settings.data.push(Arc::new(move |parts| {
                let found = hook(parts);
                Box::pin(async move {
                    let data = found.await.map_err(Into::into)?;
                    let fill: Fill = Box::new(move |all: &mut Data| {
                        all.insert(data.clone());
                    });
                    Ok(fill)
                })
            }));
        })
    }
}
