//! Queries, read once.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest, NextValidation,
};
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::registry::Registry;
use async_graphql::{
    CacheControl, Data, Request, Response, ServerError, ServerResult, ValidationResult, Variables,
};
use lru::LruCache;

use super::document::Place;
use super::once::Once;
use super::{given, marked, nesting, overlap, root, rules, size};

/// An extension that reads a query once, checks what the library does not, and keeps it for
/// the next request.
///
/// - Queries are kept by their text, the last 1,000 of them; parsing is a third of the cost of
///   a small request.
/// - Fields that cannot be merged are refused wherever they are, and queries of more than
///   [`max_fields`](Self::max_fields) fields, fragments put in place.
/// - Rules of the specification that the library does not hold are held: of the values that
///   stand in a query and those that are given for its variables, of directives, of what stands
///   on `__typename`. A request that does not hold them is refused before it is run.
/// - A variable that is not given has its default also in `@skip` and `@include`; and where it
///   has none, what it is the value of is as if it were not there.
/// - An error has the path to where it came up, also in lists of lists, and is told once.
/// - An object of which nothing is selected, since all was skipped, is `{}`.
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
    queries: Option<Mutex<LruCache<String, Arc<Read>>>>,
    max_fields: usize,
    max_depth: usize,
}

/// A query that was read.
struct Read {
    document: ExecutableDocument,
    /// Whether there is in it what was not asked for.
    is_marked: bool,
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

fn cache(size: usize) -> Option<Mutex<LruCache<String, Arc<Read>>>> {
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
            query: OnceLock::new(),
        })
    }
}

/// The extension for one request.
struct Prepare {
    shared: Arc<Shared>,
    query: OnceLock<Query>,
}

struct Query {
    read: Arc<Read>,
    variables: Variables,
}

impl Shared {
    fn read(&self, registry: &Registry, request: &mut Request) -> ServerResult<Arc<Read>> {
        if let Some(queries) = &self.queries
            && let Some(read) = lock(queries).get(&request.query)
        {
            return Ok(Arc::clone(read));
        }
        nesting::check(&request.query)?;
        let mut document = request.parsed_query()?.clone();
        size::check(&document, self.max_fields, self.max_depth)?;
        for (_, operation) in document.operations.iter() {
            let operation = &operation.node;
            if let Some(root) = root_type(registry, operation) {
                let set = &operation.selection_set.node;
                overlap::check(registry, &document.fragments, root, set)?;
            }
        }
        rules::check(registry, &document)?;
        let is_marked = marked::mark(&mut document);
        let read = Arc::new(Read {
            document,
            is_marked,
        });
        if let Some(queries) = &self.queries
            && request.query.len() <= LONGEST_KEPT
        {
            lock(queries).put(request.query.clone(), Arc::clone(&read));
        }
        Ok(read)
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

/// How many faults of one query are told.
const MOST_FAULTS: usize = 100;

/// An error whose message does not repeat a query of a megabyte.
fn short(mut error: ServerError) -> ServerError {
    const LONGEST: usize = 1_000;
    if error.message.len() > LONGEST {
        let end = error.message.floor_char_boundary(LONGEST);
        error.message.truncate(end);
        error.message.push_str(" ..");
    }
    error
}

/// Gives errors the places where they have come up, each once: the library resolves a field twice
/// that stands in a query twice.
fn place_errors(errors: &mut Vec<ServerError>) {
    for error in errors.iter_mut() {
        let place = error.source::<Place>().map(|place| place.0.clone());
        if let Some(place) = place {
            error.path = place;
        }
    }
    if errors.len() > 1 {
        let mut told = HashSet::new();
        errors.retain(|error| told.insert((format!("{:?}", error.path), error.message.clone())));
    }
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
        let read = self.shared.read(registry, &mut request).map_err(short)?;
        let document = &read.document;
        let mut to_run = document.clone();
        if let Some(operation) = operation(document, request.operation_name.as_deref()) {
            rules::variables(registry, operation, &mut request.variables).map_err(short)?;
            let missing = given::missing(operation, &request.variables);
            given::leave_out(&mut to_run, &missing);
        }
        request.set_parsed_query(to_run);
        let _ = self.query.set(Query {
            read,
            variables: request.variables.clone(),
        });
        Ok(request)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        next.run(ctx).await.or_else(|mut errors| {
            errors.retain(|error| !rules::is_mistaken(error));
            if errors.is_empty() {
                // Limits are looked at before: what is counted here is not asked for again.
                return Ok(ValidationResult {
                    cache_control: CacheControl::default(),
                    complexity: 0,
                    depth: 0,
                });
            }
            Err(errors.into_iter().take(MOST_FAULTS).map(short).collect())
        })
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut data = Data::default();
        data.insert(Once::default());
        let mut response = next.run_with_data(ctx, operation_name, data).await;
        place_errors(&mut response.errors);
        let Some(query) = self.query.get() else {
            return response;
        };
        if query.read.is_marked {
            marked::unmark(&mut response.data);
        }
        let Some(operation) = operation(&query.read.document, operation_name) else {
            return response;
        };
        root::tidy(
            &ctx.schema_env.registry,
            &query.read.document.fragments,
            operation,
            &query.variables,
            response,
        )
    }
}
