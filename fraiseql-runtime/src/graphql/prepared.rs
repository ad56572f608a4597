//! What every request is looked at for, before the library executes it and after.

use std::any::TypeId;
use std::sync::{Arc, OnceLock};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest,
};
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::registry::Registry;
use async_graphql::{Data, Request, Response, ServerResult};

use super::limits::DocumentLimits;
use super::once::Once;
use super::queries::{KEPT, Queries, Query};
use super::root::{self, RootField};

/// An extension that reads a query once, checks what the library does not, and keeps it for
/// the next request.
///
/// - Queries are kept by their text, the last 1,000 of them; parsing is a third of the cost of
///   a small request.
/// - Queries that are larger than [`DocumentLimits`] are refused before they cost anything.
/// - Fields that cannot be merged are refused wherever they are.
/// - A variable that is not given has its default also in `@skip` and `@include`.
/// - A field of [`Views`](super::Views) that stands in a query twice is one statement.
/// - The fields of an answer are in the order of the query, and a field that cannot be null
///   makes `data` null when it fails.
///
/// ```
/// use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
/// use fraiseql_runtime::graphql::Prepared;
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
pub struct Prepared {
    queries: Arc<Queries>,
}

impl Default for Prepared {
    fn default() -> Self {
        Self {
            queries: Arc::new(Queries::new(DocumentLimits::default(), KEPT)),
        }
    }
}

impl Prepared {
    /// How many queries are kept: 1,000 unless told. None are with 0.
    #[must_use]
    pub fn keep(self, queries: usize) -> Self {
        Self {
            queries: Arc::new(Queries::new(self.queries.limits(), queries)),
        }
    }

    /// How large a query may be. A query that comes through [`GraphQl`](crate::http::GraphQl) has
    /// been measured by the limits of that.
    #[must_use]
    pub fn limits(self, limits: DocumentLimits) -> Self {
        Self {
            queries: Arc::new(Queries::new(limits, self.queries.keep())),
        }
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared")
            .field("keep", &self.queries.keep())
            .field("limits", &self.queries.limits())
            .finish()
    }
}

impl ExtensionFactory for Prepared {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Prepare {
            queries: Arc::clone(&self.queries),
            fields: OnceLock::new(),
        })
    }
}

/// The extension for one request.
struct Prepare {
    queries: Arc<Queries>,
    fields: OnceLock<Vec<RootField>>,
}

/// In the data of a request: its query, which was read already, and given to it.
pub(crate) struct AlreadyRead(pub(crate) Arc<Query>);

/// The name of the type that an operation selects from.
pub(super) fn root_type<'a>(
    registry: &'a Registry,
    operation: &OperationDefinition,
) -> Option<&'a str> {
    match operation.ty {
        OperationType::Query => Some(&registry.query_type),
        OperationType::Mutation => registry.mutation_type.as_deref(),
        OperationType::Subscription => registry.subscription_type.as_deref(),
    }
}

/// The operation of a document that is to be run; `None` where that is not said.
pub(crate) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    let mut operations = document.operations.iter();
    let found = match name {
        None => operations.next().filter(|_| operations.next().is_none()),
        Some(name) => operations.find(|(one, _)| one.is_some_and(|one| one == name)),
    };
    found.map(|(_, operation)| &operation.node)
}

#[async_trait]
impl Extension for Prepare {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let mut request = next.run(ctx, request).await?;
        let registry = &ctx.schema_env.registry;
        let already = request.data.get(&TypeId::of::<AlreadyRead>());
        let already = already.and_then(|data| data.downcast_ref::<AlreadyRead>());
        let (query, is_given) = match already {
            Some(AlreadyRead(query)) => (Arc::clone(query), true),
            None => (self.queries.read(&request.query)?, false),
        };
        query.check_merges(registry)?;
        let document = &query.document;
        if let Some(operation) = operation(document, request.operation_name.as_deref()) {
            let variables = &mut request.variables;
            for definition in &operation.variable_definitions {
                let definition = &definition.node;
                if let Some(default) = &definition.default_value
                    && !variables.contains_key(&definition.name.node)
                {
                    variables.insert(definition.name.node.clone(), default.node.clone());
                }
            }
            let fields = root::fields(registry, &document.fragments, operation, variables);
            let _ = self.fields.set(fields);
        }
        if !is_given {
            request.set_parsed_query(match Arc::try_unwrap(query) {
                Ok(query) => query.document,
                Err(kept) => kept.document.clone(),
            });
        }
        Ok(request)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut data = Data::default();
        data.insert(Once::default());
        let response = next.run_with_data(ctx, operation_name, data).await;
        match self.fields.get() {
            Some(fields) => root::tidy(fields, response),
            None => response,
        }
    }
}
