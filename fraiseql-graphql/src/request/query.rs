//! A parsed query, with what earlier requests have found out about it.

use std::sync::{Arc, Mutex};

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::registry::Registry;
use async_graphql::{ServerError, ValidationResult, Variables};

use crate::request::cached_plan::CachedPlan;
use crate::spec::document::CheckedDocument;
use fraiseql_runtime::__graphql::{BigInts, lock};
use fraiseql_runtime::schema::Shape;
use fraiseql_runtime::select::{Projection, Selection, SelectionError};

/// The number of projections that are kept for a query. `@skip` and `@include` give one query
/// several selections.
const MAX_PROJECTIONS: usize = 16;

/// A parsed query. Its size is limited and its fragments have no cycles, so that it can be
/// traversed recursively.
///
/// A value found for one request is stored in a slot of the query, for later requests with the same
/// text. Of the slots that depend on variables, only the last request is kept: clients that repeat
/// a query mostly repeat its variables.
pub(crate) struct Query {
    pub(crate) document: ExecutableDocument,
    checked: Mutex<Option<(RegistryId, CheckResult)>>,
    projections: Mutex<Vec<Projection>>,
    validated: Mutex<Option<(RequestKey, ValidationResult)>>,
    plan: Mutex<Option<(RequestKey, Arc<CachedPlan>)>>,
}

type CheckResult = Result<Arc<CheckedDocument>, ServerError>;

/// Identifies a schema by the address of its registry.
///
/// A registry keeps its address as long as its schema exists. A cache outlives a schema only in an
/// endpoint, which has one schema, so no other schema can have the address.
#[derive(Clone, Copy, PartialEq, Eq)]
struct RegistryId(usize);

impl RegistryId {
    fn of(registry: &Registry) -> Self {
        Self(std::ptr::from_ref(registry).addr())
    }
}

/// What the result of a request depends on, besides the text of its query.
#[derive(Clone, PartialEq)]
pub(crate) struct RequestKey {
    registry: RegistryId,
    operation: Option<String>,
    variables: Variables,
}

impl RequestKey {
    pub(crate) fn of(registry: &Registry, operation: Option<&str>, variables: &Variables) -> Self {
        Self {
            registry: RegistryId::of(registry),
            operation: operation.map(str::to_owned),
            variables: variables.clone(),
        }
    }
}

impl Query {
    pub(crate) fn new(document: ExecutableDocument) -> Self {
        Self {
            document,
            checked: Mutex::new(None),
            projections: Mutex::new(Vec::new()),
            validated: Mutex::new(None),
            plan: Mutex::new(None),
        }
    }

    /// Checks the document against the rules that async-graphql lacks, or returns the result of an
    /// earlier check for the same schema.
    pub(crate) fn check(&self, registry: &Registry) -> CheckResult {
        let id = RegistryId::of(registry);
        // Each slot has its own lock, which is never held while a value is computed. Two requests
        // may compute the same value; the later one replaces it by an equal one.
        if let Some((checked_for, result)) = &*lock(&self.checked)
            && *checked_for == id
        {
            return result.clone();
        }
        let result = CheckedDocument::check(registry, &self.document).map(Arc::new);
        *lock(&self.checked) = Some((id, result.clone()));
        result
    }

    /// Compiles a selection, or returns the projection that was compiled for it earlier.
    pub(crate) fn projection(
        &self,
        shape: &'static Shape,
        selection: &Selection,
        big_ints: BigInts,
    ) -> Result<Projection, SelectionError> {
        let is_same = |projection: &&Projection| {
            std::ptr::eq(projection.shape(), shape)
                && projection.selection() == selection
                && projection.big_ints() == big_ints
        };
        if let Some(projection) = lock(&self.projections).iter().find(is_same) {
            return Ok(projection.clone());
        }
        let projection = Projection::of_request(shape, selection, big_ints)?;
        let mut projections = lock(&self.projections);
        // Nothing is removed: once it is full, further selections are compiled for each request.
        if projections.len() < MAX_PROJECTIONS {
            projections.push(projection.clone());
        }
        Ok(projection)
    }

    /// The result of async-graphql's validation, if it was stored last for an equal request.
    pub(crate) fn validated(&self, key: &RequestKey) -> Option<ValidationResult> {
        let validated = lock(&self.validated);
        let (stored_for, result) = validated.as_ref()?;
        (stored_for == key).then_some(*result)
    }

    pub(crate) fn store_validated(&self, key: RequestKey, result: ValidationResult) {
        *lock(&self.validated) = Some((key, result));
    }

    /// The plan of a request, if it was stored last for an equal request.
    ///
    /// The schema is not compared: only the endpoint that has read the query asks for its plan, and
    /// an endpoint has one schema.
    #[cfg(feature = "http")]
    pub(crate) fn plan(
        &self,
        operation: Option<&str>,
        variables: &Variables,
    ) -> Option<Arc<CachedPlan>> {
        let plan = lock(&self.plan);
        let (key, plan) = plan.as_ref()?;
        let is_same = key.operation.as_deref() == operation && key.variables == *variables;
        is_same.then(|| Arc::clone(plan))
    }

    pub(crate) fn store_plan(&self, key: RequestKey, plan: CachedPlan) {
        *lock(&self.plan) = Some((key, Arc::new(plan)));
    }
}
