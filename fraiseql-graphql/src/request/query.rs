//! A parsed query, with what earlier requests have found out about it.

use std::sync::{Arc, Mutex};

use apollo_compiler::ast;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::registry::Registry;
use async_graphql::{ServerError, ValidationResult, Variables};

#[cfg(feature = "http")]
use crate::request::direct::answer::DirectAnswer;
use crate::request::direct::plan::CachedPlan;
#[cfg(feature = "http")]
use crate::request::direct::plan::{Asked, RequestParts};
use crate::request::limits::DocumentLimits;
use crate::spec::document::ValidDocument;
use crate::spec::operation::only_operation;
#[cfg(feature = "http")]
use crate::spec::operation::operation;
use crate::spec::overlap;
use crate::spec::parse::parse_tree;
use crate::spec::type_system::TypeSystem;
use crate::spec::usages;
use crate::spec::validation::validate;
use fraiseql_runtime::__graphql::{BigInts, lock};
use fraiseql_runtime::schema::Shape;
use fraiseql_runtime::select::{Projection, Selection, SelectionError};

/// The number of projections that are kept for a query. `@skip` and `@include` give one query
/// several selections.
const MAX_PROJECTIONS: usize = 16;

/// The number of plans that are kept for a query: of each operation, and for each combination of what
/// `@skip` and `@include` select.
const MAX_PLANS: usize = 16;

/// A parsed query. Its size is limited and its fragments have no cycles, so that it can be
/// traversed recursively.
///
/// A value found for one request is stored in a slot of the query, for later requests with the same
/// text. Of async-graphql's validation, which depends on variables, only the last result is kept.
pub(crate) struct Query {
    pub(crate) text: Arc<str>,
    pub(crate) document: ExecutableDocument,
    /// Whether the text is the client's, so that errors have locations in it.
    is_of_client: bool,
    limits: DocumentLimits,
    validity: Mutex<Option<(RegistryId, Validity)>>,
    projections: Mutex<Vec<Projection>>,
    validated: Mutex<Option<(RequestKey, ValidationResult)>>,
    plans: Mutex<Vec<StoredPlan>>,
}

/// A plan with the name of its operation in the request.
struct StoredPlan {
    operation: Option<String>,
    plan: Arc<CachedPlan>,
}

/// A query that was read, and the tree of its text if it was parsed for that.
///
/// The tree is several times as large as the query, and needed only for the validation. It is not kept
/// with the query: if nobody has validated it by the end of the request, the text is parsed again.
pub(crate) struct ReadQuery {
    pub(crate) query: Arc<Query>,
    pub(crate) tree: Option<ast::Document>,
}

/// The result of the validation.
pub(crate) type Validity = Result<Arc<ValidDocument>, Arc<[ServerError]>>;

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
    pub(crate) fn new(
        text: Arc<str>,
        document: ExecutableDocument,
        limits: DocumentLimits,
        is_of_client: bool,
    ) -> Self {
        Self {
            text,
            document,
            is_of_client,
            limits,
            validity: Mutex::new(None),
            projections: Mutex::new(Vec::new()),
            validated: Mutex::new(None),
            plans: Mutex::new(Vec::new()),
        }
    }

    /// Validates the query, or returns the result of an earlier validation for the same schema.
    /// `types` are those of the schema.
    pub(crate) fn validate(
        &self,
        registry: &Registry,
        tree: Option<ast::Document>,
        types: impl FnOnce() -> Arc<TypeSystem>,
    ) -> Validity {
        let id = RegistryId::of(registry);
        // Each slot has its own lock, which is never held while a value is computed. Two requests
        // may compute the same value; the later one replaces it by an equal one.
        if let Some((validated_for, validity)) = &*lock(&self.validity)
            && *validated_for == id
        {
            return validity.clone();
        }
        let validity = self.validate_tree(registry, &types(), tree);
        *lock(&self.validity) = Some((id, validity.clone()));
        validity
    }

    fn validate_tree(
        &self,
        registry: &Registry,
        types: &TypeSystem,
        tree: Option<ast::Document>,
    ) -> Validity {
        let limits = &self.limits;
        let tree = match tree {
            Some(tree) => tree,
            None => parse_tree(&self.text, limits.parsed_tokens(), limits.parsed_nesting())
                .map_err(|error| Arc::from([error]))?,
        };
        let text = self.is_of_client.then_some(&*self.text);
        validate(types, &tree, text).map_err(Arc::from)?;
        usages::check(registry, &self.document)
            .and_then(|()| overlap::check(registry, &self.document))
            .map_err(|error| Arc::from([error]))?;
        let valid = ValidDocument::of(registry, &self.document);
        valid.map(Arc::new).map_err(|error| Arc::from([error]))
    }

    /// The document to execute for an operation. The other operations of the document, which are
    /// valid, are not executed, but async-graphql would ask for their variables.
    pub(crate) fn executable(&self, operation: Option<&str>) -> ExecutableDocument {
        only_operation(self.document.clone(), operation)
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

    /// Answers a request directly, if there is a plan for it and nothing that may be an error.
    ///
    /// The schema is not compared: only the endpoint that has read the query asks for its plans, and an
    /// endpoint has one schema.
    #[cfg(feature = "http")]
    pub(crate) async fn answer(
        &self,
        name: Option<&str>,
        variables: &Variables,
        request: RequestParts<'_>,
    ) -> Option<DirectAnswer> {
        let any = self.plan(name, |_| true)?;
        let operation = operation(&self.document, name)?;
        let variables = any.coerced(operation, variables)?;
        let plan = match any.conditions.hold(&variables) {
            true => any,
            false => self.plan(name, |plan| plan.conditions.hold(&variables))?,
        };
        let asked = Asked {
            text: &self.text,
            name,
            operation,
        };
        plan.answer(asked, &variables, request).await
    }

    #[cfg(feature = "http")]
    fn plan(
        &self,
        operation: Option<&str>,
        is_it: impl Fn(&CachedPlan) -> bool,
    ) -> Option<Arc<CachedPlan>> {
        let plans = lock(&self.plans);
        let mut plans = plans.iter();
        let stored = plans.find(|one| one.operation.as_deref() == operation && is_it(&one.plan))?;
        Some(Arc::clone(&stored.plan))
    }

    /// Stores a plan in place of one that selects the same.
    pub(crate) fn store_plan(&self, operation: Option<&str>, plan: CachedPlan) {
        let mut plans = lock(&self.plans);
        let is_same = |one: &StoredPlan| {
            one.operation.as_deref() == operation && one.plan.conditions == plan.conditions
        };
        if let Some(place) = plans.iter().position(is_same) {
            plan.succeed(&plans.remove(place).plan);
        } else if plans.len() == MAX_PLANS {
            plans.remove(0);
        }
        plans.push(StoredPlan {
            operation: operation.map(str::to_owned),
            plan: Arc::new(plan),
        });
    }
}
