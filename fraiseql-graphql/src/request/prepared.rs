//! What every request is looked at for, before the library executes it and after.

use std::any::TypeId;
use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest, NextValidation,
};
use async_graphql::{
    CacheControl, Data, Request, Response, ServerError, ServerResult, ValidationResult,
};

use super::limits::DocumentLimits;
use crate::error::clip;
use crate::request::cached_plan as direct;
use crate::request::cached_plan::PlanRecorder;
use crate::request::context::{AlreadyRead, Kept};
use crate::request::query_cache as queries;
use crate::request::query_cache::{KEPT, Queries, Query};
use crate::request::root_field_dedup::RootFieldDedup;
use crate::response::ErrorPath;
use crate::spec::operation::operation;
use crate::spec::root_fields as root;
use crate::spec::root_fields::RootField;
use crate::spec::{placeholder as marked, rules, variables as given};

/// An extension that reads a query once, checks what the library does not, and keeps it for
/// the next request.
///
/// - Queries are kept by their text, the last 1,000 of them; parsing is a third of the cost of
///   a small request.
/// - Queries that are larger than [`DocumentLimits`] are refused before they cost anything.
/// - Fields that cannot be merged are refused wherever they are.
/// - Rules of the specification that the library does not hold are held: of the values that
///   stand in a query and those that are given for its variables, of directives, of what stands
///   on `__typename`. A request that does not hold them is refused before it is run.
/// - A variable that is not given has its default also in `@skip` and `@include`.
/// - An error has the path to where it came up, also in lists of lists, and is told once.
/// - An object of which nothing is selected, since all was skipped, is `{}`.
/// - A field of [`Views`](crate::Views) that stands in a query twice is one statement.
/// - The fields of an answer are in the order of the query, and a field that cannot be null
///   makes `data` null when it fails.
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
pub struct Prepared {
    queries: Arc<Queries>,
    validate_once: bool,
    direct: bool,
}

impl Default for Prepared {
    fn default() -> Self {
        Self {
            queries: Arc::new(Queries::new(DocumentLimits::default(), KEPT)),
            validate_once: false,
            direct: false,
        }
    }
}

impl Prepared {
    /// How many queries are kept: 1,000 unless told. None are with 0.
    #[must_use]
    pub fn keep(self, queries: usize) -> Self {
        Self {
            queries: Arc::new(Queries::new(self.queries.limits(), queries)),
            ..self
        }
    }

    /// How large a query may be. A query that comes through [`GraphQl`](](crate::http::GraphQl) has
    /// been measured by the limits of that.
    #[must_use]
    pub fn limits(self, limits: DocumentLimits) -> Self {
        Self {
            queries: Arc::new(Queries::new(limits, self.queries.keep())),
            ..self
        }
    }

    /// Validates a query that is kept once, as long as it comes with the same variables as
    /// before. Off unless told, because an extension that is added to the schema behind this one
    /// does not see the validation of such a request: add those that look at it before this one.
    #[must_use]
    pub fn validate_once(self, on: bool) -> Self {
        Self {
            validate_once: on,
            ..self
        }
    }
}

impl Prepared {
    /// Answers a request that comes to [`GraphQl`](](crate::http::GraphQl) again, with the same
    /// query and variables, past the schema: by the statement and the projection that it was
    /// answered with before. Such are requests for one root field of [`Views`](crate::Views) that
    /// reads documents, not a connection. Data is read each time; what is kept is how.
    ///
    /// Off unless told, because no extension of the schema sees such a request. What
    /// [`with_data`](](crate::http::GraphQl::with_data) refuses is refused before.
    ///
    /// ```
    /// use async_graphql::{EmptyMutation, EmptySubscription, Schema};
    /// use fraiseql_graphql::{Prepared, Query};
    /// use fraiseql_graphql::http::GraphQl;
    /// # use fraiseql_runtime::TView;
    /// # #[derive(TView)]
    /// # struct Post { id: i64 }
    /// # fn endpoint(pool: sqlx::PgPool) {
    /// let root = Query::<(Post,)>::new(pool);
    /// let schema = Schema::build(root, EmptyMutation, EmptySubscription)
    ///     .extension(Prepared::default().validate_once(true).direct(true))
    ///     .finish();
    /// let endpoint = GraphQl::new(schema);
    /// # }
    /// # fn main() {}
    /// ```
    #[cfg(feature = "http")]
    #[must_use]
    pub fn direct(self, on: bool) -> Self {
        Self { direct: on, ..self }
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared")
            .field("keep", &self.queries.keep())
            .field("limits", &self.queries.limits())
            .field("validate_once", &self.validate_once)
            .field("direct", &self.direct)
            .finish()
    }
}

impl ExtensionFactory for Prepared {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Prepare {
            queries: Arc::clone(&self.queries),
            validate_once: self.validate_once,
            direct: self.direct,
            asked: OnceLock::new(),
            is_silent: AtomicBool::new(false),
        })
    }
}

/// The extension for one request.
struct Prepare {
    queries: Arc<Queries>,
    validate_once: bool,
    direct: bool,
    asked: OnceLock<Asked>,
    /// Whether the answer is sent without a word of how long it may be kept.
    is_silent: AtomicBool,
}

/// What is asked for.
struct Asked {
    fields: Vec<RootField>,
    is_marked: bool,
    /// The query, where it is kept for other requests, too.
    kept: Option<Arc<Query>>,
    /// What is kept of the query is kept for this request.
    request: Option<queries::Request>,
    /// It may be answered directly another time.
    is_one_field: bool,
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
        let checked = query.check(registry).map_err(short)?;
        let document = &query.document;
        let mut missing = HashSet::new();
        let name = request.operation_name.as_deref();
        if let Some(operation) = operation(document, name) {
            let variables = &mut request.variables;
            rules::variables(registry, operation, variables).map_err(short)?;
            missing = given::missing(operation, variables);
            let is_kept = Arc::strong_count(&query) > 1;
            let _ = self.asked.set(Asked {
                fields: root::fields(registry, &document.fragments, operation, variables),
                is_marked: checked.marked.is_some(),
                kept: is_kept.then(|| Arc::clone(&query)),
                request: ((self.validate_once || self.direct)
                    && variables.len() <= MOST_KEPT_VARIABLES)
                    .then(|| queries::Request::of(registry, name, variables)),
                is_one_field: direct::is_one_field(operation) && request.extensions.is_empty(),
            });
        }
        if !missing.is_empty() {
            let mut document = checked.marked.as_ref().unwrap_or(document).clone();
            given::leave_out(&mut document, &missing);
            request.set_parsed_query(document);
        } else if let Some(marked) = &checked.marked {
            request.set_parsed_query(marked.clone());
        } else if !is_given {
            request.set_parsed_query(match Arc::try_unwrap(query) {
                Ok(query) => query.document,
                Err(kept) => kept.document.clone(),
            });
        }
        Ok(request)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let asked = self.asked.get();
        let kept = asked
            .filter(|_| self.validate_once)
            .and_then(|asked| asked.kept.as_ref().zip(asked.request.as_ref()));
        if let Some((query, request)) = kept
            && let Some(result) = query.validated(request)
        {
            self.is_silent
                .store(direct::is_silent(result.cache_control), Relaxed);
            return Ok(result);
        }
        let validated = next.run(ctx).await;
        if let Ok(result) = &validated {
            self.is_silent
                .store(direct::is_silent(result.cache_control), Relaxed);
        }
        if let (Some((query, request)), Ok(result)) = (kept, &validated) {
            query.keep_validated(request.clone(), *result);
        }
        validated.or_else(|mut errors| {
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
        data.insert(RootFieldDedup::default());
        let asked = self.asked.get();
        if let Some(query) = asked.and_then(|asked| asked.kept.as_ref()) {
            data.insert(Kept(Arc::clone(query)));
        }
        let recording = asked
            .filter(|asked| self.direct && asked.is_one_field && !asked.is_marked)
            .filter(|_| self.is_silent.load(Relaxed))
            .and_then(|asked| {
                let kept = asked.kept.as_ref().zip(asked.request.as_ref())?;
                let recording = PlanRecorder::default();
                data.insert(recording.clone());
                Some((kept, recording))
            });
        let mut response = next.run_with_data(ctx, operation_name, data).await;
        if let Some(((query, request), recording)) = recording
            && let Some(direct) = recording.of(&response)
        {
            query.keep_direct(request.clone(), direct);
        }
        place_errors(&mut response.errors);
        let Some(asked) = asked else {
            return response;
        };
        if asked.is_marked {
            marked::unmark(&mut response.data);
        }
        root::tidy(&asked.fields, response)
    }
}

/// A request with more variables is validated each time.
const MOST_KEPT_VARIABLES: usize = 16;

/// How many faults of one query are told.
const MOST_FAULTS: usize = 100;

/// An error whose message does not repeat a query of a megabyte.
fn short(mut error: ServerError) -> ServerError {
    clip(&mut error.message);
    error
}

/// Gives errors the places where they have come up, each once: the library resolves a field twice
/// that stands in a query twice.
fn place_errors(errors: &mut Vec<ServerError>) {
    for error in errors.iter_mut() {
        let place = error.source::<ErrorPath>().map(|place| place.0.clone());
        if let Some(place) = place {
            error.path = place;
            error.source = None;
        }
    }
    if errors.len() > 1 {
        let mut told = HashSet::new();
        errors.retain(|error| told.insert((format!("{:?}", error.path), error.message.clone())));
    }
}
