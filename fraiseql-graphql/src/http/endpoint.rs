//! The endpoint and its settings.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Data, Executor};
use axum::http::request::Parts;
use futures_util::future::BoxFuture;

use crate::budget::InFlight;
use crate::http::automatic::AutomaticQueries;
use crate::http::internal_error::InternalError;
use crate::http::refusal::Refusal;
use crate::http::settings::{InsertData, Settings};
use crate::request::limits::DocumentLimits;
use crate::request::query_cache::QueryCache;

/// An endpoint that serves a schema over HTTP: a tower service, for axum's
/// [`Router::route_service`](axum::Router::route_service) or any other router.
///
/// The [module](crate::http) lists its responses and its defaults.
#[derive(Clone, Debug)]
#[must_use = "an endpoint does nothing until it is routed to"]
pub struct GraphQl<E> {
    pub(super) executor: E,
    pub(super) settings: Arc<Settings>,
}

impl<E: Executor> GraphQl<E> {
    /// Creates an endpoint for a schema, or for another executor of async-graphql.
    pub fn new(executor: E) -> Self {
        Self {
            executor,
            settings: Arc::default(),
        }
    }

    pub(super) fn with(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(Arc::make_mut(&mut self.settings));
        self
    }

    /// Serves GraphiQL to browsers. Off by default.
    ///
    /// The page and its files are part of this crate, and are served at the path of the endpoint: the
    /// browser needs no access to other hosts, and its content security policy allows none.
    pub fn graphiql(self, on: bool) -> Self {
        self.with(|settings| settings.graphiql = on)
    }

    /// Allows introspection. On by default. If it is off, a document that contains `__schema` or
    /// `__type` is refused.
    pub fn introspection(self, on: bool) -> Self {
        self.with(|settings| settings.introspection = on)
    }

    /// Sets the maximum size of a body in bytes. 1 MiB by default.
    ///
    /// A larger body is refused before it is read if the client declares its length, otherwise as
    /// soon as it exceeds the maximum. Behind a layer that decompresses bodies, the decompressed
    /// bytes count.
    pub fn max_body(self, bytes: usize) -> Self {
        self.with(|settings| settings.max_body = bytes)
    }

    /// Sets the maximum size of a response in bytes. 16 MiB by default.
    ///
    /// It bounds the documents that are read for a response, and what is written of them, each for
    /// all fields of the request together, or for all requests of a batch. The field that meets the
    /// limit has an error with the code `RESPONSE_TOO_LARGE`, and so have the fields that were not
    /// finished by then. The database is not asked for more. If values of your own resolvers exceed
    /// it, the response is that error alone.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # use async_graphql::{EmptyMutation, EmptySubscription, Schema};
    /// # use axum::http::Request;
    /// # use fraiseql_graphql::Query;
    /// # use fraiseql_graphql::http::GraphQl;
    /// # use tower_service::Service as _;
    /// #[derive(TView)]
    /// pub struct Post { pub id: i64, pub content: String }
    ///
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, content text NOT NULL);
    /// #     INSERT INTO tb_post SELECT i, repeat('x', 1000) FROM generate_series(1, 9) AS i", async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// # sync_all_posts(&pool).await?;
    /// # let schema = Schema::new(Query::<(Post,)>::new(pool), EmptyMutation, EmptySubscription);
    /// let mut endpoint = GraphQl::new(schema).max_response(5_000);
    /// # let request = Request::get("/?query={posts{content}}").body(String::new())?;
    /// # let answer = endpoint.call(request).await?.into_body();
    /// # let answer = axum::body::to_bytes(answer, 1 << 20).await?;
    /// # let answer = String::from_utf8_lossy(&answer);
    ///
    /// // { posts { content } }
    /// assert!(answer.contains("RESPONSE_TOO_LARGE"), "{answer}");
    /// # Ok(()) }) }
    /// ```
    pub fn max_response(self, bytes: usize) -> Self {
        self.with(|settings| settings.max_response = bytes)
    }

    /// Sets the maximum number of bytes that the endpoint holds for all requests together: documents
    /// that were read, and responses until they have been sent. 256 MiB by default.
    ///
    /// It bounds the memory of the process if many clients ask for large responses and read them
    /// slowly. A request that finds too little room has an error with the code `OVERLOADED`. The
    /// last quarter is for requests of up to 64 KiB, so that large responses do not keep small ones
    /// from being sent. What a slow client holds is released when its connection is closed: the
    /// server needs a time limit for writing.
    ///
    /// Rows that the database has sent and that were not counted yet, GraphQL values of your own
    /// resolvers, and copies that layers such as a compression make, are not among these bytes.
    pub fn max_in_flight(self, bytes: usize) -> Self {
        self.with(|settings| settings.in_flight = InFlight::new(bytes))
    }

    /// Sets the maximum time of a request, including its body. 30 seconds by default.
    ///
    /// Execution is then dropped, and an open transaction is rolled back. The clock is tokio's: the
    /// runtime needs `enable_time`. A computation that does not yield cannot be stopped, which is
    /// why [`limits`](Self::limits) bounds the size of documents.
    pub fn timeout(self, limit: Duration) -> Self {
        self.with(|settings| settings.timeout = limit)
    }

    /// Accepts a list of up to `max` requests in one POST, and returns a list of responses. The
    /// requests are executed concurrently. Off by default, since the limits apply to each of them.
    pub fn max_batch(self, max: usize) -> Self {
        self.with(|settings| settings.max_batch = Some(max))
    }

    /// Sets the maximum size of a GraphQL document.
    pub fn limits(self, limits: DocumentLimits) -> Self {
        self.with(|settings| {
            let capacity = settings.cache.capacity();
            settings.cache = Arc::new(QueryCache::new(limits, capacity));
        })
    }

    /// Sets the number of parsed queries that are cached. 1,000 by default; 0 disables the cache.
    ///
    /// [`Prepared`](crate::Prepared) keeps what it finds out about a query with the cached query.
    /// Without the cache, it validates each request, and answers none directly.
    ///
    /// ```
    /// # use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    /// # struct Query;
    /// # #[Object]
    /// # impl Query { async fn one(&self) -> i32 { 1 } }
    /// # let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    /// use fraiseql_graphql::http::GraphQl;
    ///
    /// let endpoint = GraphQl::new(schema).keep(10_000);
    /// ```
    pub fn keep(self, queries: usize) -> Self {
        self.with(|settings| {
            let limits = settings.cache.limits();
            settings.cache = Arc::new(QueryCache::new(limits, queries));
        })
    }

    /// Refuses every document but the [trusted](Self::trusted) ones, with 403. Off by default.
    ///
    /// A request names a trusted document by its identifier, or sends its text byte for byte. Everything
    /// else is refused before it is parsed, introspection as well, unless its document is trusted. Queries
    /// that async-graphql's `ApolloPersistedQueries` has stored are refused, too.
    pub fn only_trusted(self, on: bool) -> Self {
        self.with(|settings| settings.only_trusted = on)
    }

    /// Keeps queries that clients send with their hash, and finds them by the hash alone, as Apollo's
    /// clients do it: `extensions: {"persistedQuery": {"version": 1, "sha256Hash": ".."}}`. Off by default.
    ///
    /// `max_bytes` bounds the texts that are kept, with 256 bytes for each; those that were used least
    /// recently are removed. What is found out about a query is in the [cache](Self::keep) of parsed
    /// queries, as for other texts. An unknown hash has an error with the code
    /// `PERSISTED_QUERY_NOT_FOUND`, after which a client sends the text; no cache keeps that response. A
    /// hash that is not that of the text is refused.
    ///
    /// This saves bytes, and protects nothing: any client can add a query. With
    /// [`only_trusted`](Self::only_trusted), nothing is added, and hashes are those of trusted documents,
    /// which are found by their hash without this setting as well.
    ///
    /// ```
    /// # use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    /// # struct Query;
    /// # #[Object]
    /// # impl Query { async fn one(&self) -> i32 { 1 } }
    /// # let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    /// use fraiseql_graphql::http::GraphQl;
    ///
    /// let endpoint = GraphQl::new(schema).automatic_persisted_queries(8 << 20);
    /// ```
    pub fn automatic_persisted_queries(self, max_bytes: usize) -> Self {
        self.with(|settings| {
            settings.automatic = Some(Arc::new(AutomaticQueries::new(max_bytes)));
        })
    }

    /// Adds an `ETag` to each response to GET that has no error, and answers a request whose `If-None-Match` has that tag
    /// with 304 and no body. On by default.
    ///
    /// If a request is answered [directly](crate::Prepared::direct) and each of its root fields is a document by its key,
    /// the tag is made of the versions of these documents, and those that the client has are not read. Otherwise it is the
    /// SHA-256 of the body, which then need not be sent. Whatever the answer is, hooks, tenants, trusted documents and
    /// limits are checked first.
    ///
    /// Responses with `Cache-Control: no-store` have no tag, nor have those to POST. A tag that a resolver has set stays,
    /// and the endpoint does not compare it. Tags are weak, since a layer may compress the body.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # use async_graphql::{EmptyMutation, EmptySubscription, Schema};
    /// # use axum::http::Request;
    /// # use fraiseql_graphql::{Prepared, Query};
    /// # use fraiseql_graphql::http::GraphQl;
    /// # use tower_service::Service as _;
    /// #[derive(TView)]
    /// pub struct Post { pub id: i32, pub title: String }
    ///
    /// # fn main() { on("CREATE TABLE tb_post (id int4 PRIMARY KEY, title text NOT NULL);
    /// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// # sync_all_posts(&pool).await?;
    /// let schema = Schema::build(Query::<(Post,)>::new(pool), EmptyMutation, EmptySubscription)
    ///     .extension(Prepared::default().direct(true))
    ///     .finish();
    /// let mut endpoint = GraphQl::new(schema);
    ///
    /// // { post(id: 7) { title } }
    /// let url = "/?query=%7Bpost(id:7)%7Btitle%7D%7D";
    /// let (mut tag, mut statuses) = (String::new(), Vec::new());
    /// for _ in 0..3 {
    ///     let request = Request::get(url).header("if-none-match", &tag).body(String::new())?;
    ///     let response = endpoint.call(request).await?;
    ///     tag = response.headers()["etag"].to_str()?.to_owned();
    ///     statuses.push(response.status().as_u16());
    /// }
    /// // The first request is executed, and has the tag of its body. Those after it are answered directly.
    /// assert_eq!(statuses, [200, 200, 304]);
    /// # Ok(()) }) }
    /// ```
    pub fn etags(self, on: bool) -> Self {
        self.with(|settings| settings.etags = on)
    }

    /// Sends the messages of internal errors to clients, for development. Off by default.
    ///
    /// An error that a resolver converts from another one with `?` is internal: its message may
    /// contain a table's name or a value. The client receives `internal error` with
    /// `"extensions": {"code": "INTERNAL", "id": ".."}`, and the log (feature `tracing`, target
    /// `fraiseql::http`) has the same id with the message and its causes. An error that
    /// `async_graphql::Error::new` creates is sent unchanged, and so is the result of
    /// `error.extend_with(..)` on an error of another type.
    ///
    /// `Err("not found".into())` is an internal error: like `?`, it converts another value. Write
    /// `Err(Error::new("not found"))`.
    pub fn expose_errors(self, on: bool) -> Self {
        self.with(|settings| settings.expose_errors = on)
    }

    /// Calls a function for each internal error, for example to count them, or to log the causes of
    /// an application's own error type.
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
        callback: impl Fn(&InternalError<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.on_internal_error = Some(Arc::new(callback)))
    }

    /// Sets after what time of silence the other side of a stream is asked for a sign of life. 20 seconds by default.
    ///
    /// Server-sent events are then a comment. On a WebSocket it is a ping, and a client that does not answer it within the
    /// same time is gone.
    pub fn keep_alive(self, time: Duration) -> Self {
        self.with(|settings| settings.keep_alive = time.max(Duration::from_millis(1)))
    }

    /// Sets how often the hooks of [`with_data`](Self::with_data) and
    /// [`with_connection_data`](Self::with_connection_data) are asked again while a stream is open: before a response is
    /// sent, if this time has passed. 10 seconds by default; `None` is never.
    ///
    /// If a hook refuses the client, nothing more is sent: a WebSocket is closed with the code 4403, and a stream of events
    /// ends with the refusal. The values of the hooks are those of the beginning.
    pub fn recheck(self, every: Option<Duration>) -> Self {
        self.with(|settings| settings.recheck = every)
    }

    /// Sets how many operations may run at once on a WebSocket. 100 by default. One with more is closed.
    #[cfg(feature = "websocket")]
    pub fn max_operations(self, operations: usize) -> Self {
        self.with(|settings| settings.max_operations = operations)
    }

    /// Allows pages of another origin, such as `https://app.example.com`, to open WebSockets. Those of the server's own host
    /// may always, and clients that send no `Origin`, which are no browsers.
    ///
    /// A browser sends the cookies of this server with a WebSocket of any page, so that other pages would read as the
    /// user.
    #[cfg(feature = "websocket")]
    pub fn allow_origin(self, origin: impl Into<String>) -> Self {
        self.with(|settings| settings.allowed_origins.push(origin.into()))
    }

    /// Adds a hook that makes a value of the first message of a WebSocket, `connection_init`, available to resolvers, or
    /// refuses the client: the WebSocket is then closed with the code 4403. Browsers cannot send headers with a WebSocket, so
    /// that tokens are often in this message.
    ///
    /// ```
    /// # use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    /// # struct Query;
    /// # #[Object]
    /// # impl Query { async fn one(&self) -> i32 { 1 } }
    /// # let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    /// use axum::http::StatusCode;
    /// use fraiseql_graphql::http::GraphQl;
    ///
    /// #[derive(Clone)]
    /// struct UserId(i64);
    ///
    /// let endpoint = GraphQl::new(schema).with_connection_data(|payload, _parts| {
    ///     let token = payload["token"].as_str().map(str::to_owned);
    ///     // A real application looks up a session here.
    ///     async move { token.map(|_| UserId(7)).ok_or(StatusCode::UNAUTHORIZED) }
    /// });
    /// ```
    #[cfg(feature = "websocket")]
    pub fn with_connection_data<F, Fut, D, R>(self, hook: F) -> Self
    where
        F: Fn(&serde_json::Value, &Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<D, R>> + Send + 'static,
        D: Any + Clone + Send + Sync,
        R: Into<Refusal>,
    {
        self.with(|settings| {
            let hook = move |payload: &serde_json::Value, parts: &Parts| -> BoxFuture<'static, _> {
                let value = hook(payload, parts);
                Box::pin(async move { Ok(insert(value.await.map_err(Into::into)?)) })
            };
            settings.connection_data.push(Arc::new(hook));
        })
    }

    /// Adds a hook that makes a value of the HTTP request available to resolvers, as
    /// `ctx.data::<D>()`, or refuses the request.
    ///
    /// The hook runs once for each HTTP request, before the body is read and within the time limit.
    /// Several hooks run in the order in which they were added. Values of axum extractors and
    /// layers are in `parts.extensions`.
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
            let hook = move |parts: &Parts| -> BoxFuture<'static, _> {
                let value = hook(parts);
                Box::pin(async move { Ok(insert(value.await.map_err(Into::into)?)) })
            };
            settings.data.push(Arc::new(hook));
        })
    }
}

/// Inserts the value that a hook makes. All requests of a batch have a copy of it, and all operations of a WebSocket.
fn insert<D: Any + Clone + Send + Sync>(value: D) -> InsertData {
    Box::new(move |data: &mut Data| {
        data.insert(value.clone());
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_graphql::async_trait::async_trait;
    use async_graphql::extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextValidation,
    };
    use async_graphql::{
        EmptyMutation, EmptySubscription, Object, Schema, ServerError, ValidationResult,
    };
    use axum::http::{Request, StatusCode};
    use tower_service::Service as _;

    use super::*;
    use crate::Prepared;

    struct Query;

    #[Object]
    impl Query {
        async fn one(&self) -> i32 {
            1
        }
    }

    type Served = Schema<Query, EmptyMutation, EmptySubscription>;

    /// Counts the validations that [`Prepared`] does not skip.
    #[derive(Clone, Default)]
    struct Validations(Arc<AtomicUsize>);

    impl ExtensionFactory for Validations {
        fn create(&self) -> Arc<dyn Extension> {
            Arc::new(self.clone())
        }
    }

    #[async_trait]
    impl Extension for Validations {
        async fn validation(
            &self,
            ctx: &ExtensionContext<'_>,
            next: NextValidation<'_>,
        ) -> Result<ValidationResult, Vec<ServerError>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            next.run(ctx).await
        }
    }

    /// Sends one query three times, and returns the number of validations.
    async fn validations(
        prepared: Prepared,
        configure: impl FnOnce(GraphQl<Served>) -> GraphQl<Served>,
    ) -> usize {
        let validations = Validations::default();
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
            .extension(prepared.validate_once(true))
            .extension(validations.clone())
            .finish();
        let mut endpoint = configure(GraphQl::new(schema));
        for _ in 0..3 {
            let request = Request::get("/?query={one}").body(String::new()).unwrap();
            let response = endpoint.call(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
        }
        validations.0.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn the_extension_uses_the_cache_of_the_endpoint() {
        let endpoint = |endpoint| endpoint;
        assert_eq!(validations(Prepared::default(), endpoint).await, 1);
        // The size of the extension's own cache does not matter here.
        assert_eq!(validations(Prepared::default().keep(0), endpoint).await, 1);
    }

    #[tokio::test]
    async fn a_capacity_of_zero_disables_the_cache_of_the_endpoint() {
        let uncached = |endpoint: GraphQl<Served>| endpoint.keep(0);
        assert_eq!(validations(Prepared::default(), uncached).await, 3);
    }

    #[tokio::test]
    async fn limits_and_capacity_are_set_independently() {
        let limits = DocumentLimits::default().fields(1);
        let endpoint = GraphQl::new(Schema::new(Query, EmptyMutation, EmptySubscription));
        let endpoint = endpoint.keep(7).limits(limits);
        assert_eq!(endpoint.settings.cache.capacity(), 7);
        assert_eq!(endpoint.keep(8).settings.cache.limits(), limits);
    }
}
