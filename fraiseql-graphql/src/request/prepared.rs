//! The public extension of a schema, with its settings.

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_graphql::extensions::{Extension, ExtensionFactory};

use crate::budget::DEFAULT_MAX_RESPONSE;
use crate::request::extension::{RequestExtension, RequestOptions, ResponseSettings};
use crate::request::limits::DocumentLimits;
use crate::request::query_cache::{DEFAULT_CAPACITY, QueryCache};
use crate::spec::type_system::TypeSystem;
use fraiseql_runtime::__graphql::BigInts;

/// An extension that parses, validates, caches and replays each request. Add it to every schema that
/// has documents.
///
/// Before execution:
///
/// - Queries that exceed [`DocumentLimits`] are refused before they are parsed or validated.
/// - Queries are parsed and validated by [apollo-compiler](https://docs.rs/apollo-compiler), once for
///   each text, in place of async-graphql's parser and rules, which differ from the specification.
///   What is valid, and what a valid query means, is compared with graphql-js by the tests. Like
///   there, `Int` has 32 bits. All errors of a query are reported, with their locations.
/// - The last 1,000 queries are cached by their text, with everything that was found out about them.
/// - Values of variables are validated, and coerced to their types, for the operation that is
///   executed; the other operations of a document need no variables. An argument whose variable is
///   omitted counts as omitted.
/// - A query of introspection alone has [limits of its own](DocumentLimits#introspection), in place of
///   the schema's `limit_depth` and `limit_complexity`.
///
/// During execution, a field of [`Views`](crate::Views) that is selected several times is read with
/// one statement.
///
/// In the response:
///
/// - Root fields have the order of the query. A field that failed is null, and if it cannot be null,
///   the nearest value around it that can.
/// - A field whose argument is null by a variable, and must not be, fails.
/// - An object of which all selected fields are skipped is `{}`.
/// - An error has the path to where it came up, also in lists of lists, and is reported once.
///
/// ```
/// use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
/// use fraiseql_graphql::Prepared;
///
/// struct Query;
///
/// #[Object]
/// impl Query {
///     async fn answer(&self) -> i32 {
///         42
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
///     .extension(Prepared::default())
///     .finish();
/// let answer = schema.execute("{ answer }").await;
/// assert_eq!(answer.data.to_string(), "{answer: 42}");
/// # }
/// ```
///
/// # The validation of async-graphql
///
/// It runs as well, since it computes depth, complexity and cache control, and validates values of
/// custom scalars. [`ValidationMode::Fast`](async_graphql::ValidationMode::Fast) leaves out its rules,
/// which this extension does not need; an invalid value of a custom scalar is then the error of a
/// field.
///
/// # Persisted queries
///
/// The endpoint has [trusted documents](crate::http::GraphQl::trusted) and
/// [automatic persisted queries](crate::http::GraphQl::automatic_persisted_queries). async-graphql's `ApolloPersistedQueries` can be added before or after this extension. It stores
/// what async-graphql's own parser has read. Add it after this one, or serve the schema by
/// [`http::GraphQl`](crate::http::GraphQl): then a query is validated before it is stored.
///
/// # Behind an endpoint
///
/// A request that comes through [`http::GraphQl`](crate::http::GraphQl) has been read by the
/// endpoint: its query is in the endpoint's cache, and everything that is found out about it is
/// kept there. The size of that cache and its limits are those of
/// [`GraphQl::keep`](crate::http::GraphQl::keep) and
/// [`GraphQl::limits`](crate::http::GraphQl::limits), and the size of a response is that of
/// [`GraphQl::max_response`](crate::http::GraphQl::max_response); [`keep`](Self::keep),
/// [`limits`](Self::limits) and [`max_response`](Self::max_response) are for requests that are executed on the schema itself.
pub struct Prepared {
    cache: Arc<QueryCache>,
    /// Of the schema that the extension is added to, once it is known.
    types: Arc<OnceLock<Arc<TypeSystem>>>,
    options: RequestOptions,
    settings: ResponseSettings,
}

impl Default for Prepared {
    fn default() -> Self {
        Self {
            cache: Arc::new(QueryCache::new(DocumentLimits::default(), DEFAULT_CAPACITY)),
            types: Arc::default(),
            options: RequestOptions::default(),
            settings: ResponseSettings {
                max_response: DEFAULT_MAX_RESPONSE,
                big_ints: BigInts::Numbers,
            },
        }
    }
}

impl Prepared {
    /// Sets the number of parsed queries that are cached of requests that do not come through
    /// [an endpoint](#behind-an-endpoint). 1,000 by default; 0 disables the cache.
    #[must_use]
    pub fn keep(self, queries: usize) -> Self {
        Self {
            cache: Arc::new(QueryCache::new(self.cache.limits(), queries)),
            ..self
        }
    }

    /// Sets the limits for queries of requests that do not come through
    /// [an endpoint](#behind-an-endpoint).
    #[must_use]
    pub fn limits(self, limits: DocumentLimits) -> Self {
        Self {
            cache: Arc::new(QueryCache::new(limits, self.cache.capacity())),
            ..self
        }
    }

    /// Sets the maximum size of the documents in a response, in bytes, of requests that do not come
    /// through [an endpoint](#behind-an-endpoint). 16 MiB by default. See
    /// [`GraphQl::max_response`](crate::http::GraphQl::max_response).
    #[must_use]
    pub fn max_response(mut self, bytes: usize) -> Self {
        self.settings.max_response = bytes;
        self
    }

    /// Sends integers of 64 bits, which have the type `BigInt`, as strings. Off by default: they are
    /// sent as numbers, as they are stored.
    ///
    /// Clients in JavaScript, and others that read a JSON number as a float, round a number beyond
    /// 2^53 without a word: switch it on for them. It applies to all values of `i64` in documents:
    /// keys, columns, lists and counts. In arguments and variables, both forms are read with either
    /// setting.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # use async_graphql::{EmptyMutation, EmptySubscription, Schema};
    /// # use fraiseql_graphql::{Prepared, Query};
    /// #[derive(TView)]
    /// pub struct Post { pub id: i64, pub rating: i32 }
    ///
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, rating int4 NOT NULL);
    /// #     INSERT INTO tb_post VALUES (9007199254740993, 5)", async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// # sync_all_posts(&pool).await?;
    /// let schema = Schema::build(Query::<(Post,)>::new(pool), EmptyMutation, EmptySubscription)
    ///     .extension(Prepared::default().big_ints_as_strings(true))
    ///     .finish();
    /// let response = schema.execute("{ post(id: 9007199254740993) { id rating } }").await;
    /// assert_eq!(
    ///     serde_json::to_string(&response)?,
    ///     r#"{"data":{"post":{"id":"9007199254740993","rating":5}}}"#
    /// );
    /// # Ok(()) }) }
    /// ```
    #[must_use]
    pub fn big_ints_as_strings(mut self, on: bool) -> Self {
        self.settings.big_ints = match on {
            true => BigInts::Strings,
            false => BigInts::Numbers,
        };
        self
    }

    /// Skips async-graphql's validation for a cached query with the same variables as in the
    /// request before. Off by default.
    ///
    /// Extensions that are added to the schema after this one do not see the validation of such a
    /// request: add those that need it before.
    #[must_use]
    pub fn validate_once(mut self, on: bool) -> Self {
        self.options.validate_once = on;
        self
    }

    /// Answers a request without executing the schema, if an earlier one had the same query. Off by
    /// default.
    ///
    /// It applies to requests that come through [`GraphQl`](crate::http::GraphQl), for queries whose root
    /// fields are all of [`Views`](crate::Views): documents by key, lists and connections, one or several,
    /// with any variables. How they are read and written is kept with the query; documents are read each
    /// time, for the tenant and from the server that the schema would read them for and from.
    ///
    /// Whatever may be an error is left to the schema, which reports it: a value that a variable or an
    /// argument cannot have, a request without a tenant, a failure of the database, a document that is
    /// not as its type says, a response that is too large. The schema also executes
    ///
    /// - the first request with a query, and with each combination of variables in `@skip` and `@include`, unless it
    ///   is a trusted document that was [planned](crate::http::GraphQl::trusted) when it was loaded,
    /// - a request for more documents of a root field than those before with its query: whether they are
    ///   too many for `limit_complexity` is not known before,
    /// - queries with other root fields, `__typename` included, or with fields that
    ///   [`TvExtended`](crate::TvExtended) adds,
    /// - root fields with directives other than `@skip` and `@include`,
    /// - requests with `extensions`, and batches of requests.
    ///
    /// Equal requests that come at the same time share an answer: while half of the pool's connections, or the only
    /// one, read for a query and its variables, the next ones wait, and one read answers all of them. If none of them ends for
    /// 50 ms, they read alone.
    ///
    /// A plan belongs to the endpoint that has read the query. Do not enable this behind an endpoint
    /// whose executor dispatches requests to several schemas.
    ///
    /// No extension of the schema sees a request that is answered directly. The hooks of
    /// [`with_data`](crate::http::GraphQl::with_data) still run, and can refuse it.
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
    /// #     INSERT INTO tb_post VALUES (7, 'Notes'), (8, 'More')", async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// # sync_all_posts(&pool).await?;
    /// let root = Query::<(Post,)>::new(pool);
    /// let schema = Schema::build(root, EmptyMutation, EmptySubscription)
    ///     .extension(Prepared::default().validate_once(true).direct(true))
    ///     .finish();
    /// let mut endpoint = GraphQl::new(schema);
    ///
    /// // The second request has the plan of the first, and its own variable.
    /// for (id, title) in [(7, "Notes"), (8, "More")] {
    ///     let body = format!(
    ///         r#"{{"query": "query ($id: Int!) {{ post(id: $id) {{ title }} }}", "variables": {{"id": {id}}}}}"#
    ///     );
    ///     let request = Request::post("/").header("content-type", "application/json").body(body)?;
    ///     let answer = endpoint.call(request).await?.into_body();
    ///     let answer = axum::body::to_bytes(answer, 1 << 20).await?;
    ///     assert_eq!(answer, format!(r#"{{"data":{{"post":{{"title":"{title}"}}}}}}"#));
    /// }
    /// # Ok(()) }) }
    /// ```
    #[cfg(feature = "http")]
    #[must_use]
    pub fn direct(mut self, on: bool) -> Self {
        self.options.direct = on;
        self
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("keep", &self.cache.capacity())
            .field("limits", &self.cache.limits())
            .field("max_response", &self.settings.max_response)
            .field("big_ints", &self.settings.big_ints)
            .field("validate_once", &self.options.validate_once)
            .field("direct", &self.options.direct)
            .finish()
    }
}

impl ExtensionFactory for Prepared {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(RequestExtension::new(
            Arc::clone(&self.cache),
            Arc::clone(&self.types),
            self.options,
            self.settings,
        ))
    }
}
