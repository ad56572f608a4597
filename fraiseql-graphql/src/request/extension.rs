//! The extension of one request: calls the cache, the checks and the plan in async-graphql's hooks.

use std::any::TypeId;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{
    Extension, ExtensionContext, NextExecute, NextPrepareRequest, NextValidation,
};
use async_graphql::parser::types::OperationDefinition;
use async_graphql::registry::Registry;
use async_graphql::{
    CacheControl, Data, Request, Response, ServerError, ServerResult, ValidationResult,
};

use crate::budget::Budget;
use crate::error::{MAX_REQUEST_ERRORS, clip};
use crate::request::cached_plan::{PlanRecorder, has_no_cache_header, is_single_field};
use crate::request::context::{CachedQuery, EndpointQuery};
use crate::request::query::{Query, RequestKey};
use crate::request::query_cache::QueryCache;
use crate::request::root_field_dedup::RootFieldDedup;
use crate::spec::operation::operation;
use crate::spec::root_fields::RootFields;
use crate::spec::{errors, placeholder, rules, variables};
use fraiseql_runtime::__graphql::BigInts;

/// The maximum number of variables of a request whose validation or plan is stored. A request with
/// more is validated each time.
const MAX_KEY_VARIABLES: usize = 16;

/// Which parts of a request may be skipped if it repeats an earlier one.
#[derive(Clone, Copy, Default)]
pub(crate) struct RequestOptions {
    pub(crate) validate_once: bool,
    pub(crate) direct: bool,
}

/// How responses are written.
#[derive(Clone, Copy)]
pub(crate) struct ResponseSettings {
    /// The limit of a response that no endpoint sends.
    pub(crate) max_response: usize,
    pub(crate) big_ints: BigInts,
}

/// The extension of one request. async-graphql creates one for each.
pub(crate) struct RequestExtension {
    /// The cache of requests that no endpoint has read.
    cache: Arc<QueryCache>,
    options: RequestOptions,
    settings: ResponseSettings,
    /// Set by `prepare_request`, unless the document has no operation to execute.
    prepared: OnceLock<PreparedRequest>,
    /// Whether the response has no `Cache-Control` header. Known after the validation.
    has_no_cache_header: AtomicBool,
}

/// What the later hooks need to know of the request.
struct PreparedRequest {
    root_fields: RootFields,
    has_placeholders: bool,
    /// The query, if it is cached.
    query: Option<Arc<Query>>,
    /// The key of values that are stored in the query, if any may be.
    key: Option<RequestKey>,
    /// Whether the request is one that can be answered directly.
    is_single_field: bool,
}

impl PreparedRequest {
    /// The query and the key, to find and store values of this request.
    fn slot(&self) -> Option<(&Arc<Query>, &RequestKey)> {
        self.query.as_ref().zip(self.key.as_ref())
    }
}

impl RequestExtension {
    pub(crate) fn new(
        cache: Arc<QueryCache>,
        options: RequestOptions,
        settings: ResponseSettings,
    ) -> Self {
        Self {
            cache,
            options,
            settings,
            prepared: OnceLock::new(),
            has_no_cache_header: AtomicBool::new(false),
        }
    }

    fn prepare(
        &self,
        registry: &Registry,
        query: &Arc<Query>,
        operation: &OperationDefinition,
        has_placeholders: bool,
        request: &Request,
    ) -> PreparedRequest {
        let variables = &request.variables;
        // A cache has a reference as well, or the data of the endpoint's request. Without one, the
        // query ends with this request, and there is nothing to store.
        let is_shared = Arc::strong_count(query) > 1;
        let stores = self.options.validate_once || self.options.direct;
        let key = (stores && variables.len() <= MAX_KEY_VARIABLES)
            .then(|| RequestKey::of(registry, request.operation_name.as_deref(), variables));
        PreparedRequest {
            root_fields: RootFields::of(registry, &query.document.fragments, operation, variables),
            has_placeholders,
            query: is_shared.then(|| Arc::clone(query)),
            key,
            is_single_field: is_single_field(operation) && request.extensions.is_empty(),
        }
    }

    fn note_cache_control(&self, result: &ValidationResult) {
        let has_none = has_no_cache_header(result.cache_control);
        self.has_no_cache_header.store(has_none, Relaxed);
    }

    /// Whether the plan of the request may be recorded.
    fn records_plan(&self, prepared: &PreparedRequest) -> bool {
        self.options.direct
            && prepared.is_single_field
            && !prepared.has_placeholders
            && self.has_no_cache_header.load(Relaxed)
    }
}

#[async_trait]
impl Extension for RequestExtension {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let mut request = next.run(ctx, request).await?;
        let registry = &ctx.schema_env.registry;
        let endpoint_query = endpoint_query(&request);
        let has_document = endpoint_query.is_some();
        let query = match endpoint_query {
            Some(query) => query,
            None => self.cache.read(&request.query)?,
        };
        let checked = query.check(registry).map_err(clipped)?;
        let mut rewritten = None;
        if let Some(operation) = operation(&query.document, request.operation_name.as_deref()) {
            // The defaults of variables come first: everything below depends on their values.
            variables::coerce(registry, operation, &mut request.variables).map_err(clipped)?;
            let omitted = variables::omitted(operation, &request.variables);
            rewritten = checked.rewritten(&query.document, &omitted);
            let has_placeholders = checked.has_placeholders();
            let prepared = self.prepare(registry, &query, operation, has_placeholders, &request);
            // Set once: async-graphql calls this hook once for each request.
            let _ = self.prepared.set(prepared);
        }
        if let Some(document) = rewritten {
            request.set_parsed_query(document);
        } else if !has_document {
            // A query that is not cached has no other reference: its document need not be cloned.
            request.set_parsed_query(match Arc::try_unwrap(query) {
                Ok(query) => query.document,
                Err(shared) => shared.document.clone(),
            });
        }
        Ok(request)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let prepared = self.prepared.get().filter(|_| self.options.validate_once);
        let slot = prepared.and_then(PreparedRequest::slot);
        let stored = slot.and_then(|(query, key)| query.validated(key));
        if let Some(result) = stored {
            self.note_cache_control(&result);
            return Ok(result);
        }
        let validated = next.run(ctx).await;
        if let Ok(result) = &validated {
            self.note_cache_control(result);
            if let Some((query, key)) = slot {
                query.store_validated(key.clone(), *result);
            }
        }
        validated.or_else(without_false_positives)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let prepared = self.prepared.get();
        let mut data = Data::default();
        data.insert(RootFieldDedup::default());
        if ctx.data_opt::<Arc<Budget>>().is_none() {
            data.insert(Budget::new(self.settings.max_response, None));
        }
        data.insert(self.settings.big_ints);
        if let Some(query) = prepared.and_then(|prepared| prepared.query.as_ref()) {
            data.insert(CachedQuery(Arc::clone(query)));
        }
        let slot = prepared
            .filter(|prepared| self.records_plan(prepared))
            .and_then(PreparedRequest::slot);
        let recording = slot.map(|slot| (slot, PlanRecorder::default()));
        if let Some((_, recorder)) = &recording {
            data.insert(recorder.clone());
        }
        let mut response = next.run_with_data(ctx, operation_name, data).await;
        // The plan is complete only if the response that it led to has nothing but documents.
        if let Some(((query, key), recorder)) = recording
            && let Some(plan) = recorder.take(&response)
        {
            query.store_plan(key.clone(), plan);
        }
        errors::complete(&mut response.errors);
        let Some(prepared) = prepared else {
            return response;
        };
        if prepared.has_placeholders {
            placeholder::remove(&mut response.data);
        }
        prepared.root_fields.complete(response)
    }
}

/// The query that the endpoint has read for this request.
fn endpoint_query(request: &Request) -> Option<Arc<Query>> {
    let data = request.data.get(&TypeId::of::<EndpointQuery>())?;
    let EndpointQuery(query) = data.downcast_ref::<EndpointQuery>()?;
    Some(Arc::clone(query))
}

/// Removes the false positives of async-graphql's validation. If there were only these, the request
/// is valid.
fn without_false_positives(
    mut errors: Vec<ServerError>,
) -> Result<ValidationResult, Vec<ServerError>> {
    errors.retain(|error| !rules::is_false_positive(error));
    if errors.is_empty() {
        // async-graphql does not return the values of a failed validation. Depth and complexity are
        // within the schema's limits: an exceeded limit is reported in place of all other errors.
        return Ok(ValidationResult {
            cache_control: CacheControl::default(),
            complexity: 0,
            depth: 0,
        });
    }
    let errors = errors.into_iter().take(MAX_REQUEST_ERRORS);
    Err(errors.map(clipped).collect())
}

/// An error whose message does not repeat a query of a megabyte.
fn clipped(mut error: ServerError) -> ServerError {
    clip(&mut error.message);
    error
}
