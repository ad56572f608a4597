//! Queries, read once: within limits, parsed, and kept by their text.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::registry::Registry;
use async_graphql::{ServerError, ValidationResult, Variables};
use lru::LruCache;

use super::limits::DocumentLimits;
use crate::error::clip;
use crate::request::cached_plan::CachedPlan;
use crate::spec::operation::root_type;
use crate::spec::{overlap, placeholder as marked, rules};
use fraiseql_runtime::__graphql::lock;
use fraiseql_runtime::schema::Shape;
use fraiseql_runtime::select::{Projection, Selection, SelectionError};

/// So many queries are kept, unless told.
pub(crate) const KEPT: usize = 1_000;

/// Longer queries are not kept, so that those that are kept have a bounded size.
const LONGEST_KEPT: usize = 16 * 1024;

/// Reads queries, and keeps the last of them.
pub(crate) struct Queries {
    limits: DocumentLimits,
    kept: Option<Mutex<LruCache<String, Arc<Query>>>>,
}

/// A query that was read. Its size is bounded, and its fragments have no cycles.
pub(crate) struct Query {
    pub(crate) document: ExecutableDocument,
    checked: Mutex<Option<Verdict>>,
    /// What it has asked for, compiled.
    projections: Mutex<Vec<Projection>>,
    /// The last request in which the library's validation has found no fault, and what it found.
    validated: Mutex<Option<(Request, ValidationResult)>>,
    /// The last request that can be answered directly, and how.
    direct: Mutex<Option<(Request, Arc<CachedPlan>)>>,
}

/// What was found out of a query with the registry at this address.
struct Verdict {
    registry: usize,
    result: Result<Arc<Checked>, ServerError>,
}

/// What a validation depends on, beside the query.
#[derive(Clone, PartialEq)]
pub(crate) struct Request {
    registry: usize,
    operation: Option<String>,
    variables: Variables,
}

impl Request {
    pub(crate) fn of(registry: &Registry, operation: Option<&str>, variables: &Variables) -> Self {
        Self {
            registry: place(registry),
            operation: operation.map(str::to_owned),
            variables: variables.clone(),
        }
    }
}

/// Where a registry is. One schema has one registry, at one place, as long as it is there; a
/// query outlives it only with the endpoint that serves it.
fn place(registry: &Registry) -> usize {
    std::ptr::from_ref(registry).addr()
}

/// With `@skip` and `@include` a query asks for one thing or another; so many of them are kept.
const MOST_PROJECTIONS: usize = 16;

/// A query that holds the rules that the library does not look at.
pub(crate) struct Checked {
    /// The document as it is to be executed, where it is not as it was read.
    pub(crate) marked: Option<ExecutableDocument>,
}

impl Queries {
    pub(crate) fn new(limits: DocumentLimits, keep: usize) -> Self {
        Self {
            limits,
            kept: NonZeroUsize::new(keep).map(|keep| Mutex::new(LruCache::new(keep))),
        }
    }

    pub(crate) const fn limits(&self) -> DocumentLimits {
        self.limits
    }

    /// How many are kept.
    pub(crate) fn keep(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| lock(kept).cap().get())
    }

    /// A query that is kept.
    #[cfg(feature = "http")]
    pub(crate) fn known(&self, text: &str) -> Option<Arc<Query>> {
        lock(self.kept.as_ref()?).get(text).map(Arc::clone)
    }

    /// Reads a query.
    pub(crate) fn read(&self, text: &str) -> Result<Arc<Query>, ServerError> {
        if let Some(kept) = &self.kept
            && let Some(query) = lock(kept).get(text)
        {
            return Ok(Arc::clone(query));
        }
        self.limits.check_text(text)?;
        let document = parse_query(text).map_err(unreadable)?;
        self.limits.check_document(&document)?;
        let query = Arc::new(Query {
            document,
            checked: Mutex::new(None),
            projections: Mutex::new(Vec::new()),
            validated: Mutex::new(None),
            direct: Mutex::new(None),
        });
        if let Some(kept) = &self.kept
            && text.len() <= LONGEST_KEPT
        {
            lock(kept).put(text.to_owned(), Arc::clone(&query));
        }
        Ok(query)
    }
}

/// What the parser says, without its picture of the line in which the error is, however long
/// that is: where it is, the location tells.
fn unreadable(error: async_graphql::parser::Error) -> ServerError {
    let mut error = ServerError::from(error);
    if let Some((_, said)) = error.message.rsplit_once("\n  = ") {
        error.message = format!("syntax error: {said}");
    }
    clip(&mut error.message);
    error
}

impl Query {
    /// Holds it against the rules of a schema that the library does not look at.
    pub(crate) fn check(&self, registry: &Registry) -> Result<Arc<Checked>, ServerError> {
        let place = place(registry);
        if let Some(verdict) = &*lock(&self.checked)
            && verdict.registry == place
        {
            return verdict.result.clone();
        }
        let result = self.checked(registry).map(Arc::new);
        *lock(&self.checked) = Some(Verdict {
            registry: place,
            result: result.clone(),
        });
        result
    }

    /// Compiles what is asked for, unless that was done before.
    pub(crate) fn projection(
        &self,
        shape: &'static Shape,
        selection: &Selection,
    ) -> Result<Projection, SelectionError> {
        let is_it =
            |one: &&Projection| std::ptr::eq(one.shape(), shape) && one.selection() == selection;
        if let Some(kept) = lock(&self.projections).iter().find(is_it) {
            return Ok(kept.clone());
        }
        let projection = Projection::of_asked(shape, selection)?;
        let mut projections = lock(&self.projections);
        if projections.len() < MOST_PROJECTIONS {
            projections.push(projection.clone());
        }
        Ok(projection)
    }

    /// What the library's validation found in this request, if that was the last one.
    pub(crate) fn validated(&self, request: &Request) -> Option<ValidationResult> {
        let validated = lock(&self.validated);
        let (of, result) = validated.as_ref()?;
        (of == request).then_some(*result)
    }

    /// Keeps what the library's validation has found.
    pub(crate) fn keep_validated(&self, request: Request, result: ValidationResult) {
        *lock(&self.validated) = Some((request, result));
    }

    /// How this request was answered directly, if that was the last one. Whoever reads the query
    /// has one schema.
    #[cfg(feature = "http")]
    pub(crate) fn direct(
        &self,
        operation: Option<&str>,
        variables: &Variables,
    ) -> Option<Arc<CachedPlan>> {
        let direct = lock(&self.direct);
        let (of, direct) = direct.as_ref()?;
        let is_it = of.operation.as_deref() == operation && of.variables == *variables;
        is_it.then(|| Arc::clone(direct))
    }

    /// Keeps how a request was answered.
    pub(crate) fn keep_direct(&self, request: Request, direct: CachedPlan) {
        *lock(&self.direct) = Some((request, Arc::new(direct)));
    }

    fn checked(&self, registry: &Registry) -> Result<Checked, ServerError> {
        for (_, operation) in self.document.operations.iter() {
            let operation = &operation.node;
            if let Some(root) = root_type(registry, operation) {
                let set = &operation.selection_set.node;
                overlap::check(registry, &self.document.fragments, root, set)?;
            }
        }
        rules::check(registry, &self.document)?;
        let marked = marked::may_leave_out(&self.document).then(|| {
            let mut marked = self.document.clone();
            marked::mark(&mut marked).then_some(marked)
        });
        Ok(Checked {
            marked: marked.flatten(),
        })
    }
}
