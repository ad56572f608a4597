//! Queries, read once.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest,
};
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::registry::Registry;
use async_graphql::{Data, Request, Response, ServerResult};
use lru::LruCache;

use super::once::Once;
use super::root::RootField;
use super::{overlap, root, size};

/// An extension that reads a query once, checks what the library does not, and keeps it for
/// the next request.
///
/// - Queries are kept by their text, the last 1,000 of them; parsing is a third of the cost of
///   a small request.
/// - Fields that cannot be merged are refused wherever they are, and queries of more than
///   [`max_fields`](Self::max_fields) fields, fragments put in place.
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
#[derive(Clone)]
pub struct Prepared {
    shared: Arc<Shared>,
}

struct Shared {
    queries: Option<Mutex<LruCache<String, Arc<ExecutableDocument>>>>,
    max_fields: usize,
    max_depth: usize,
}

/// Longer queries are not kept, so that those that are kept have a bounded size.
const LONGEST_KEPT: usize = 16 * 1024;

impl Default for Prepared {
    fn default() -> Self {
        Self {
            shared: Arc::new(Shared {
                queries: cache(1_000),
                max_fields: 2_000,
                max_depth: 32,
            }),
        }
    }
}

fn cache(size: usize) -> Option<Mutex<LruCache<String, Arc<ExecutableDocument>>>> {
    NonZeroUsize::new(size).map(|size| Mutex::new(LruCache::new(size)))
}

impl Prepared {
    /// How many queries are kept: 1,000 unless told. None are with 0.
    #[must_use]
    pub fn keep(self, queries: usize) -> Self {
        self.with(|shared| shared.queries = cache(queries))
    }

    /// How many fields a query may ask for, with its fragments put in place: 2,000 unless
    /// told.
    #[must_use]
    pub fn max_fields(self, fields: usize) -> Self {
        self.with(|shared| shared.max_fields = fields)
    }

    /// How deep a query may be nested, with its fragments put in place: 32 unless told.
    #[must_use]
    pub fn max_depth(self, levels: usize) -> Self {
        self.with(|shared| shared.max_depth = levels)
    }

    fn with(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Shared {
            queries: cache(self.kept()),
            ..*self.shared
        };
        change(&mut shared);
        Self {
            shared: Arc::new(shared),
        }
    }

    fn kept(&self) -> usize {
        let queries = self.shared.queries.as_ref();
        queries.map_or(0, |queries| lock(queries).cap().get())
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared")
            .field("keep", &self.kept())
            .field("max_fields", &self.shared.max_fields)
            .field("max_depth", &self.shared.max_depth)
            .finish()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing that is done under the lock leaves it half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ExtensionFactory for Prepared {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Prepare {
            shared: Arc::clone(&self.shared),
            fields: OnceLock::new(),
        })
    }
}

/// The extension for one request.
struct Prepare {
    shared: Arc<Shared>,
    fields: OnceLock<Vec<RootField>>,
}

/// A query as it was read: just now, or before.
enum Read {
    Now(ExecutableDocument),
    Kept(Arc<ExecutableDocument>),
}

impl Read {
    fn document(&self) -> &ExecutableDocument {
        match self {
            Self::Now(document) => document,
            Self::Kept(document) => document,
        }
    }

    fn into_document(self) -> ExecutableDocument {
        match self {
            Self::Now(document) => document,
            Self::Kept(document) => ExecutableDocument::clone(&document),
        }
    }
}

impl Shared {
    fn read(&self, registry: &Registry, query: &str) -> ServerResult<Read> {
        if let Some(queries) = &self.queries
            && let Some(document) = lock(queries).get(query)
        {
            return Ok(Read::Kept(Arc::clone(document)));
        }
        let document = parse_query(query)?;
        size::check(&document, self.max_fields, self.max_depth)?;
        for (_, operation) in document.operations.iter() {
            let operation = &operation.node;
            if let Some(root) = root_type(registry, operation) {
                let set = &operation.selection_set.node;
                overlap::check(registry, &document.fragments, root, set)?;
            }
        }
        let Some(queries) = self
            .queries
            .as_ref()
            .filter(|_| query.len() <= LONGEST_KEPT)
        else {
            return Ok(Read::Now(document));
        };
        let document = Arc::new(document);
        lock(queries).put(query.to_owned(), Arc::clone(&document));
        Ok(Read::Kept(document))
    }
}

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
fn operation<'a>(
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
        let read = self.shared.read(registry, &request.query)?;
        let document = read.document();
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
        request.set_parsed_query(read.into_document());
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
