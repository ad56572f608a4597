//! The extension of one request: calls the cache, the checks and the plan in async-graphql's hooks.

use std::any::{Any, TypeId};
use std::sync::{Arc, OnceLock};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{
    Extension, ExtensionContext, NextExecute, NextPrepareRequest, NextValidation,
};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::registry::Registry;
use async_graphql::{
    CacheControl, Data, Request, Response, ServerError, ServerResult, ValidationResult, Value,
};

use crate::budget::{Budget, BudgetOfElements};
use crate::error::{MAX_REQUEST_ERRORS, clip};
use crate::request::cache_hints::CacheHints;
use crate::request::context::{CachedQuery, Check, EndpointQuery, Verdict};
use crate::request::direct::draft::Draft;
use crate::request::direct::planning::{self, Plan};
use crate::request::direct::recorder::PlanRecorder;
use crate::request::entity_batches::EntityBatches;
use crate::request::position::Positions;
use crate::request::query::{Query, ReadQuery, RequestKey, Validity};
use crate::request::query_cache::QueryCache;
use crate::request::root_field_dedup::RootFieldDedup;
use crate::spec::document::ValidDocument;
use crate::spec::failures::Failures;
use crate::spec::nulls::Selected;
use crate::spec::operation::{only_operation, operation, root_type};
use crate::spec::root_fields::RootFields;
use crate::spec::type_system::TypeSystem;
use crate::spec::{errors, failures, nulls, placeholder, variables};
use fraiseql_runtime::__graphql::BigInts;

/// The maximum number of variables of a request whose validation is stored. A request with more is
/// validated each time.
const MAX_KEY_VARIABLES: usize = 16;

/// The errors of a schema's `limit_depth` and `limit_complexity`. They are about data: introspection
/// has limits of its own, in [`limits`](super::limits).
const LIMITS: [&str; 2] = ["Query is nested too deep.", "Query is too complex."];

/// The result of a validation that async-graphql does not return.
fn nothing_known() -> ValidationResult {
    ValidationResult {
        cache_control: CacheControl::default(),
        complexity: 0,
        depth: 0,
    }
}

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
    /// The types of the schema, which the first request builds.
    types: Arc<OnceLock<Arc<TypeSystem>>>,
    options: RequestOptions,
    settings: ResponseSettings,
    /// Set by `prepare_request`, if the request is only to be validated, and whether it is one of
    /// introspection.
    check: OnceLock<(Arc<Verdict>, bool)>,
    /// Set by `prepare_request`, if the query is not valid.
    invalid: OnceLock<Arc<[ServerError]>>,
    /// Set by `prepare_request`, unless the query is not valid or has no operation to execute.
    prepared: OnceLock<PreparedRequest>,
    /// Set by `prepare_request`.
    positions: OnceLock<Positions>,
}

/// What the later hooks need to know of the request.
struct PreparedRequest {
    /// Whether later requests have the same query, so that it is of use to store something in it.
    is_shared: bool,
    query: Arc<Query>,
    operation_name: Option<String>,
    root_fields: RootFields,
    has_placeholders: bool,
    /// Whether a variable is null. A null where it is not allowed is the error of a field, while
    /// async-graphql refuses the request.
    has_null: bool,
    failures: Failures,
    /// The key of the validation that is stored in the query, if it may be.
    key: Option<RequestKey>,
    /// What is known of the plan, if the request is one that may be answered directly another time.
    draft: Option<Draft>,
    /// Whether it is executed only to make the plan.
    is_planning: bool,
}

impl PreparedRequest {
    /// The query and the key, to find and store values of this request.
    fn slot(&self) -> Option<(&Arc<Query>, &RequestKey)> {
        let key = self.key.as_ref().filter(|_| self.is_shared)?;
        Some((&self.query, key))
    }

    /// Decides about the errors of async-graphql's validation. Only what it may know better is
    /// taken from it, since the query is valid.
    fn judge(&self, mut errors: Vec<ServerError>) -> Result<ValidationResult, Vec<ServerError>> {
        errors.retain(|error| {
            let message = error.message.as_str();
            let is_limit = LIMITS.contains(&message);
            let is_wrong = message.starts_with("Variable \"$") && message.contains("is not used")
                // In the document to execute, fragments are in other places.
                || message.starts_with("Fragment ")
                || self.has_null && message.starts_with("Invalid value for argument");
            !(is_wrong || is_limit && self.root_fields.are_introspection)
        });
        if errors.is_empty() {
            // async-graphql does not return the values of a failed validation.
            return Ok(nothing_known());
        }
        let errors = errors.into_iter().take(MAX_REQUEST_ERRORS);
        Err(errors.map(clipped).collect())
    }

    /// Completes a response: what async-graphql leaves out, and what it does not know of.
    fn complete(&self, registry: &Registry, mut response: Response) -> Response {
        errors::complete(&mut response.errors);
        if self.has_placeholders {
            placeholder::remove(&mut response.data);
        }
        self.failures.report(&mut response);
        if !response.errors.is_empty()
            && let document = &self.query.document
            && let Some(operation) = operation(document, self.operation_name.as_deref())
        {
            let selected = Selected {
                registry,
                fragments: &document.fragments,
                operation,
            };
            nulls::complete(selected, &mut response.data, &response.errors);
        }
        self.root_fields.complete(response)
    }
}

impl RequestExtension {
    pub(crate) fn new(
        cache: Arc<QueryCache>,
        types: Arc<OnceLock<Arc<TypeSystem>>>,
        options: RequestOptions,
        settings: ResponseSettings,
    ) -> Self {
        Self {
            cache,
            types,
            options,
            settings,
            check: OnceLock::new(),
            invalid: OnceLock::new(),
            prepared: OnceLock::new(),
            positions: OnceLock::new(),
        }
    }

    /// Prepares a valid request, and returns the document to execute, if it is another than that of
    /// the query.
    fn prepare(
        &self,
        registry: &Registry,
        query: &Arc<Query>,
        valid: &ValidDocument,
        request: &mut Request,
    ) -> ServerResult<Option<ExecutableDocument>> {
        let name = request.operation_name.as_deref();
        let Some(operation) = operation(&query.document, name) else {
            // async-graphql reports it.
            return Ok(None);
        };
        // Of its errors, async-graphql would report some twice, and some that follow from it.
        if root_type(registry, operation).is_none() {
            let message = format!("The schema has no {} operations.", operation.ty);
            return Err(ServerError::new(message, None));
        }
        // The defaults of variables come first: everything below depends on their values.
        let variables = &mut request.variables;
        variables::coerce(registry, operation, variables).map_err(clipped)?;
        let omitted = variables::omitted(operation, variables);
        let rewritten = valid.rewritten(&query.document, &omitted);
        let mut rewritten = rewritten.map(|document| only_operation(document, name));
        let has_null = variables.values().any(|one| *one == Value::Null);
        let mut failures = Failures::default();
        if has_null {
            let document = rewritten.get_or_insert_with(|| query.executable(name));
            failures = failures::mark(registry, document, variables)?;
        }
        let key = (self.options.validate_once && variables.len() <= MAX_KEY_VARIABLES)
            .then(|| RequestKey::of(registry, name, variables));
        // A cache has a reference as well, or the data of the endpoint's request. Without one, the query
        // ends with this request.
        let is_shared = Arc::strong_count(query) > 1;
        let is_drafted = self.options.direct
            && is_shared
            && failures.is_empty()
            && request.extensions.is_empty();
        let fragments = &query.document.fragments;
        let prepared = PreparedRequest {
            is_shared,
            query: Arc::clone(query),
            operation_name: name.map(str::to_owned),
            root_fields: RootFields::of(registry, fragments, operation, variables),
            has_placeholders: valid.has_placeholders,
            has_null,
            failures,
            key,
            draft: is_drafted
                .then(|| Draft::of(operation, fragments, variables, false))
                .flatten(),
            is_planning: false,
        };
        // Set once: async-graphql calls this hook once for each request.
        let _ = self.prepared.set(prepared);
        Ok(rewritten)
    }

    /// Prepares the execution that plans an operation. Returns the document to execute.
    fn plan(
        &self,
        registry: &Registry,
        query: &Arc<Query>,
        valid: &ValidDocument,
        plan: &Plan,
    ) -> Option<ExecutableDocument> {
        let name = plan.operation.as_deref();
        let operation = operation(&query.document, name)?;
        let fragments = &query.document.fragments;
        let variables = &plan.variables;
        let draft = self
            .options
            .direct
            .then(|| Draft::of(operation, fragments, variables, true))??;
        let document = planning::without_arguments(registry, query.executable(name))?;
        let prepared = PreparedRequest {
            is_shared: true,
            query: Arc::clone(query),
            operation_name: plan.operation.clone(),
            root_fields: RootFields::of(registry, fragments, operation, variables),
            has_placeholders: valid.has_placeholders,
            has_null: false,
            failures: Failures::default(),
            key: None,
            draft: Some(draft),
            is_planning: true,
        };
        let _ = self.prepared.set(prepared);
        Some(document)
    }

    fn validate(&self, registry: &Registry, read: &mut ReadQuery) -> Validity {
        read.query.validate(registry, read.tree.take(), || {
            let types = || Arc::new(TypeSystem::of(registry));
            Arc::clone(self.types.get_or_init(types))
        })
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
        let registry = &ctx.schema_env.registry;
        let of_endpoint = endpoint_query(&request);
        let has_document = of_endpoint.is_some();
        let mut read = match of_endpoint {
            None if !request.query.is_empty() => Some(self.cache.read(&request.query)?),
            read => read,
        };
        if let Some(check) = of_data::<Check>(&request)
            && let Some(read) = &mut read
        {
            let verdict = Arc::clone(&check.verdict);
            let validity = verdict
                .validity
                .get_or_init(|| self.validate(registry, read));
            validity.as_ref().map_err(|errors| first_of(errors))?;
            let is_introspection = check.is_introspection(registry, &read.query.document);
            let _ = self.check.set((verdict, is_introspection));
            return next.run(ctx, request).await;
        }
        if let Some(plan) = of_data::<Plan>(&request)
            && let Some(read) = &mut read
        {
            let valid = self
                .validate(registry, read)
                .map_err(|errors| first_of(&errors))?;
            let document = self.plan(registry, &read.query, &valid, plan);
            let document = document.ok_or_else(|| ServerError::new("not to be planned", None))?;
            let mut request = next.run(ctx, request).await?;
            request.set_parsed_query(document);
            return Ok(request);
        }
        // An extension that is called after this one must not store a query that is not valid:
        // `ApolloPersistedQueries` parses it in its own way, and later sends the result.
        if request.extensions.contains_key("persistedQuery")
            && let Some(read) = &mut read
            && let Err(errors) = self.validate(registry, read)
        {
            return Err(first_of(&errors));
        }
        let mut request = next.run(ctx, request).await?;
        let _ = self.positions.set(Positions::of(&request)?);
        let is_stored = request.query.is_empty();
        let mut read = match read {
            // `ApolloPersistedQueries` removes the text, here or before.
            Some(read) if is_stored || *request.query == *read.query.text => read,
            None if is_stored && let Ok(document) = request.parsed_query() => {
                self.cache.of_document(document)?
            }
            _ => self.cache.read(&request.query)?,
        };
        let validity = self.validate(registry, &mut read);
        let query = read.query;
        let document = match validity {
            Ok(valid) => self.prepare(registry, &query, &valid, &mut request)?,
            Err(errors) => {
                // Reported where async-graphql validates, so that there may be several.
                let _ = self.invalid.set(errors);
                None
            }
        };
        if let Some(document) = document {
            request.set_parsed_query(document);
        } else if !has_document || is_stored {
            request.set_parsed_query(query.executable(request.operation_name.as_deref()));
        }
        Ok(request)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        if let Some((verdict, is_introspection)) = self.check.get() {
            // Of its errors, only those count that do not depend on variables, which are missing.
            let errors = next.run(ctx).await.err().unwrap_or_default();
            let is_limit = |error: &ServerError| LIMITS.contains(&error.message.as_str());
            if let Some(error) = errors.into_iter().find(is_limit)
                && !is_introspection
            {
                let _ = verdict.exceeded.set(error);
            }
            return Err(vec![ServerError::new("the query was only validated", None)]);
        }
        if let Some(errors) = self.invalid.get() {
            return Err(errors.to_vec());
        }
        let Some(prepared) = self.prepared.get() else {
            return next.run(ctx).await;
        };
        if prepared.is_planning {
            // The document has no arguments.
            return Ok(nothing_known());
        }
        let slot = prepared.slot().filter(|_| self.options.validate_once);
        let stored = slot.and_then(|(query, key)| query.validated(key));
        let result = match stored {
            Some(result) => result,
            None => {
                let validated = next.run(ctx).await;
                let result = validated.or_else(|errors| prepared.judge(errors))?;
                if let Some((query, key)) = slot {
                    query.store_validated(key.clone(), result);
                }
                result
            }
        };
        Ok(result)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        // Also if an extension has skipped the validation.
        if let Some(errors) = self.invalid.get() {
            return Response::from_errors(errors.to_vec());
        }
        let mut data = Data::default();
        data.insert(RootFieldDedup::default());
        data.insert(EntityBatches::default());
        if let Some(budgets) = ctx.data_opt::<BudgetOfElements>() {
            data.insert(budgets.next());
        } else if ctx.data_opt::<Arc<Budget>>().is_none() {
            data.insert(Budget::new(self.settings.max_response, None));
        }
        data.insert(self.settings.big_ints);
        let positions = self.positions.get().cloned().unwrap_or_default();
        data.insert(positions.clone());
        let Some(prepared) = self.prepared.get() else {
            let response = next.run_with_data(ctx, operation_name, data).await;
            return positions.complete(response);
        };
        if prepared.is_shared {
            data.insert(CachedQuery(Arc::clone(&prepared.query)));
        }
        let hints = CacheHints::default();
        data.insert(hints.clone());
        let draft = prepared.draft.as_ref();
        let recording = draft.map(|draft| (draft, PlanRecorder::new(prepared.is_planning)));
        if let Some((_, recorder)) = &recording {
            data.insert(recorder.clone());
        }
        let mut response = next.run_with_data(ctx, operation_name, data).await;
        response.cache_control = hints.combined(&prepared.root_fields, response.cache_control);
        if let Some((draft, recorder)) = recording
            && let Some(plan) = draft.finish(&recorder, ctx.schema_env, &response)
        {
            let name = prepared.operation_name.as_deref();
            prepared.query.store_plan(name, plan);
        }
        positions.complete(prepared.complete(&ctx.schema_env.registry, response))
    }
}

/// The query that the endpoint has read for this request.
fn endpoint_query(request: &Request) -> Option<ReadQuery> {
    of_data::<EndpointQuery>(request).map(EndpointQuery::take)
}

fn of_data<D: Any>(request: &Request) -> Option<&D> {
    request.data.get(&TypeId::of::<D>())?.downcast_ref()
}

fn first_of(errors: &[ServerError]) -> ServerError {
    let first = errors.first().cloned();
    first.unwrap_or_else(|| ServerError::new("the query is not valid", None))
}

/// An error whose message does not repeat a query of a megabyte.
fn clipped(mut error: ServerError) -> ServerError {
    clip(&mut error.message);
    error
}
