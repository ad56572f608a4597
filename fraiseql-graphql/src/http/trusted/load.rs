//! Checks trusted documents with the schema, before the first request.

use std::sync::Arc;

use async_graphql::{Executor, Request, ServerError};

use crate::http::endpoint::GraphQl;
use crate::http::trusted::declared::Declared;
use crate::http::trusted::documents::TrustedDocuments;
use crate::http::trusted::errors::{TrustedError, TrustedErrors};
use crate::http::trusted::id;
use crate::http::trusted::known::Known;
use crate::request::context::{Check, EndpointQuery, Verdict};
use crate::request::direct::planning::{Plan, combinations, defaults};
use crate::request::query::{Query, ReadQuery};
use crate::request::query_cache::QueryCache;
use crate::spec::operation::operation as find_operation;

/// No operation has this name, so that a schema that does not know of the check executes nothing.
const NO_OPERATION: &str = "";

impl<E: Executor> GraphQl<E> {
    /// Serves documents that requests name by `documentId`, in the body of a POST or the query string of
    /// a GET. Called again, it adds further ones.
    ///
    /// Each is parsed and validated now, within the [limits](Self::limits) that are set by now, and is
    /// kept beside the [cache](Self::keep): a request finds it with one look-up, and goes on as a
    /// repeated request with the text does. A mutation is executed with POST only. A request with both
    /// `documentId` and `query` is refused.
    ///
    /// If the schema has [`Prepared::direct`](crate::Prepared::direct) and the root type [`Query`](crate::Query), each query
    /// is also planned now, so that the first request with it is answered directly. The schema executes it without
    /// its arguments, and its root fields record how they read: nothing is read, tenants are not asked for, and
    /// extensions see an execution without errors. Not planned is what has a number of documents that is a variable
    /// without a default, or more than three variables in `@skip` and `@include`.
    ///
    /// # Errors
    /// Everything that is wrong with the documents, with their identifiers and the places in their
    /// texts: wrong identifiers, hashes that are not those of the texts, one identifier with two texts,
    /// documents that are not valid in this schema, exceed its `limit_depth` or `limit_complexity` whatever their
    /// variables are, or have not the operation that the manifest names. Also if the schema does not have the extension [`Prepared`](crate::Prepared), which validates
    /// them.
    ///
    /// ```
    /// use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    /// use axum::http::Request;
    /// use fraiseql_graphql::Prepared;
    /// use fraiseql_graphql::http::{GraphQl, TrustedDocuments};
    /// # use tower_service::Service as _;
    ///
    /// struct Query;
    ///
    /// #[Object]
    /// impl Query {
    ///     async fn hello(&self, name: String) -> String {
    ///         format!("Hello, {name}!")
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
    ///     .extension(Prepared::default())
    ///     .finish();
    ///
    /// // Usually a file that the build of the client writes.
    /// let manifest = r#"{"x-web:Hello": "query Hello($name: String!) { hello(name: $name) }"}"#;
    /// let documents = TrustedDocuments::from_json(manifest)?;
    /// let mut endpoint = GraphQl::new(schema.clone()).trusted(documents).await?.only_trusted(true);
    ///
    /// # let mut ask = async |query: &str| -> Result<(u16, String), Box<dyn std::error::Error>> {
    /// #     let request = Request::get(format!("/?{query}")).body(String::new())?;
    /// #     let answer = endpoint.call(request).await?;
    /// #     let status = answer.status().as_u16();
    /// #     let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await?;
    /// #     Ok((status, String::from_utf8(body.to_vec())?))
    /// # };
    /// // GET /graphql?documentId=x-web:Hello&variables={"name":"Ada"}
    /// let (status, body) = ask("documentId=x-web:Hello&variables=%7B%22name%22:%22Ada%22%7D").await?;
    /// assert_eq!((status, &*body), (200, r#"{"data":{"hello":"Hello, Ada!"}}"#));
    /// let (status, body) = ask("query=%7Bhello(name:%22Ada%22)%7D").await?;
    /// assert_eq!(status, 403, "{body}");
    ///
    /// // A document that is not valid is an error at start.
    /// let wrong = TrustedDocuments::new().document("bye", "query Bye {\n  bye\n}");
    /// let errors = GraphQl::new(schema).trusted(wrong).await.err().unwrap();
    /// assert_eq!(errors.errors()[0].id(), Some("bye"));
    /// assert_eq!(errors.errors()[0].position(), Some((2, 3)));
    /// # Ok(()) }
    /// ```
    pub async fn trusted(self, documents: TrustedDocuments) -> Result<Self, TrustedErrors> {
        let known = self.settings.trusted.as_deref().cloned();
        let mut loading = Loading {
            known: known.unwrap_or_default(),
            cache: QueryCache::new(self.settings.cache.limits(), 0),
            errors: Vec::new(),
        };
        for declared in &documents.documents {
            loading.load(&self.executor, declared).await;
        }
        TrustedErrors::none(loading.errors)?;
        Ok(self.with(|settings| settings.trusted = Some(Arc::new(loading.known))))
    }
}

struct Loading {
    known: Known,
    /// Reads documents, and keeps none.
    cache: QueryCache,
    errors: Vec<TrustedError>,
}

impl Loading {
    /// Adds a document, or the errors that it has.
    async fn load(&mut self, executor: &impl Executor, declared: &Declared) {
        let Declared { id, text, .. } = declared;
        let before = self.errors.len();
        let hash = id::sha256_hex(text);
        if let Err(message) = id::check(id) {
            self.errors.push(TrustedError::of(id, message));
        } else if id::claimed_hash(id).is_some_and(|claimed| claimed != hash) {
            let message = format!("the SHA-256 of its text is {hash}");
            self.errors.push(TrustedError::of(id, message));
        }
        if self
            .known
            .by_id(id)
            .is_some_and(|other| *other.text != **text)
        {
            let message = "two documents have this identifier";
            self.errors.push(TrustedError::of(id, message));
        }
        let query = match self.known.by_text(text) {
            Some(query) => Ok(Arc::clone(query)),
            None => self.read(executor, text).await,
        };
        match query {
            Ok(query) => {
                self.check_operation(declared, &query);
                if self.errors.len() == before {
                    self.known.insert(id, &hash, &query);
                }
            }
            Err(errors) => {
                let errors = errors.iter().map(|error| TrustedError::in_text(id, error));
                self.errors.extend(errors);
            }
        }
    }

    async fn read(
        &self,
        executor: &impl Executor,
        text: &str,
    ) -> Result<Arc<Query>, Vec<ServerError>> {
        let ReadQuery { query, mut tree } = self.cache.read(text).map_err(|error| vec![error])?;
        for (name, _) in query.document.operations.iter() {
            let read = ReadQuery {
                query: Arc::clone(&query),
                tree: tree.take(),
            };
            check(executor, read, name.map(ToString::to_string)).await?;
        }
        plan(executor, &query).await;
        Ok(query)
    }

    fn check_operation(&mut self, declared: &Declared, query: &Query) {
        if let Some(operation) = &declared.operation
            && !operation.is_in(&query.document)
        {
            let message = format!(
                "the manifest says that it has `{} {}`, and it has not",
                operation.ty, operation.name
            );
            self.errors.push(TrustedError::of(&declared.id, message));
        }
    }
}

/// Lets the schema plan the operations of a document, as far as that is possible without a request. The rest is planned
/// by the first request.
async fn plan(executor: &impl Executor, query: &Arc<Query>) {
    let document = &query.document;
    for (name, operation) in document.operations.iter() {
        for variables in combinations(&operation.node, &document.fragments) {
            let read = ReadQuery {
                query: Arc::clone(query),
                tree: None,
            };
            let operation = name.map(ToString::to_string);
            let mut request = Request::new(&*query.text).variables(variables.clone());
            request.operation_name.clone_from(&operation);
            request.data.insert(EndpointQuery::new(read));
            request.data.insert(Plan {
                operation,
                variables,
            });
            // Whatever is wrong, a request will report it.
            executor.execute(request).await;
        }
    }
}

/// Lets the schema validate a document, and compare the cost of an operation with its limits.
async fn check(
    executor: &impl Executor,
    read: ReadQuery,
    operation: Option<String>,
) -> Result<(), Vec<ServerError>> {
    let verdict = Arc::new(Verdict::default());
    let mut request = Request::new(&*read.query.text).operation_name(NO_OPERATION);
    request.set_parsed_query(read.query.executable(operation.as_deref()));
    let checked = find_operation(&read.query.document, operation.as_deref());
    request.variables = checked.map(defaults).unwrap_or_default();
    request.data.insert(EndpointQuery::new(read));
    request.data.insert(Check {
        operation,
        verdict: Arc::clone(&verdict),
    });
    let response = executor.execute(request).await;
    match (verdict.validity.get(), verdict.exceeded.get()) {
        (Some(Ok(_)), None) => Ok(()),
        (Some(Ok(_)), Some(error)) => Err(vec![error.clone()]),
        (Some(Err(errors)), _) => Err(errors.to_vec()),
        // An extension in front of it has refused the request, or there is no such extension.
        (None, _) => {
            let said = response.errors.first().map_or("", |error| &error.message);
            let message = format!(
                "the schema has not validated it, for which it needs the extension `Prepared`: {said}"
            );
            Err(vec![ServerError::new(message, None)])
        }
    }
}
