//! A plan: how the root fields of a query are read and written.

#[cfg(feature = "http")]
use std::sync::OnceLock;
use std::sync::{Arc, Mutex};

use async_graphql::parser::types::{Field, OperationDefinition};
use async_graphql::{CacheControl, Data, Name, SchemaEnv, Value, Variables};
use fraiseql_runtime::__graphql::{DocumentUnless, Scope, lock};
use fraiseql_runtime::WalPosition;
use fraiseql_runtime::list::Documents;
use fraiseql_runtime::select::Projection;
use futures_util::future::BoxFuture;
#[cfg(feature = "http")]
use sha2::Sha256;

use crate::budget::Budget;
use crate::request::direct::arguments::BoundArguments;
use crate::request::direct::conditions::Conditions;
#[cfg(feature = "http")]
use crate::request::direct::shared::{SharedAnswers, shared_answers};
#[cfg(feature = "http")]
use crate::request::direct::tag::Conditional;
use crate::spec::{failures, variables};

/// The number of requests whose complexity is remembered as allowed.
const MAX_ALLOWED: usize = 8;

/// A request that is answered directly.
#[derive(Clone, Copy)]
pub(crate) struct RequestParts<'a> {
    pub(crate) data: &'a Data,
    /// The position as of which documents are read.
    pub(crate) position: Option<WalPosition>,
    pub(crate) budget: &'a Arc<Budget>,
    /// What the client has, if the response is to have a tag.
    #[cfg(feature = "http")]
    pub(crate) conditional: Option<&'a Conditional>,
}

/// The operation that a request names.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The text of the whole document.
    pub(crate) text: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) operation: &'a OperationDefinition,
}

/// Reads a root field again.
pub(crate) trait DirectRead: Send + Sync {
    /// The number of documents that the field asks for, of which its complexity is a multiple.
    fn row_count(&self, arguments: BoundArguments<'_>) -> usize;

    /// How many equal reads of the field may run at a time. None if they are one statement already.
    fn max_running(&self) -> Option<usize>;

    /// Where the document of the field is stored, and with which shape. None if it has no version there, or if the
    /// field is a list.
    fn origin(&self) -> Option<&str>;

    /// Whose documents the field reads. None if that is an error.
    fn scope(&self, data: &Data) -> Option<Scope>;

    /// Reads the field; its document only if that has none of the versions `held`. None if there is an error.
    fn read<'a>(
        &'a self,
        arguments: BoundArguments<'a>,
        scope: Scope,
        request: RequestParts<'a>,
        held: Option<Vec<String>>,
    ) -> BoxFuture<'a, Option<Found>>;
}

/// What was read for a root field.
pub(crate) enum Found {
    One(DocumentUnless),
    List(Documents),
    /// The JSON of a connection.
    Connection(Vec<u8>),
}

/// How a root field was resolved. It contains no data, and no value of the request.
pub(crate) struct RecordedField {
    pub(crate) read: Box<dyn DirectRead>,
    pub(crate) projection: Projection,
}

/// A root field of a plan.
pub(crate) struct PlannedField {
    pub(crate) key: Name,
    /// The field with its arguments.
    pub(crate) field: Field,
    pub(crate) recorded: RecordedField,
}

/// How the requests with a query are answered, as far as they select the same. It contains no data:
/// documents are read each time.
pub(crate) struct CachedPlan {
    pub(crate) schema: SchemaEnv,
    pub(crate) conditions: Conditions,
    pub(crate) fields: Vec<PlannedField>,
    /// How long its responses may be cached.
    pub(crate) cache: CacheControl,
    /// The numbers of documents, field by field, of requests whose complexity the schema has allowed.
    allowed: Mutex<Vec<Vec<usize>>>,
    /// What tags of its answers have in common, once one was made; `None` if they have no tag.
    #[cfg(feature = "http")]
    pub(super) hash: OnceLock<Option<Sha256>>,
    /// Requests that are being answered, for equal ones.
    #[cfg(feature = "http")]
    pub(super) shared: Option<SharedAnswers>,
}

impl CachedPlan {
    /// The plan of a request that the schema has executed.
    pub(super) fn new(
        schema: SchemaEnv,
        conditions: Conditions,
        fields: Vec<PlannedField>,
        cache: CacheControl,
    ) -> Self {
        Self {
            #[cfg(feature = "http")]
            shared: shared_answers(&fields),
            schema,
            conditions,
            fields,
            cache,
            allowed: Mutex::default(),
            #[cfg(feature = "http")]
            hash: OnceLock::new(),
        }
    }

    pub(super) fn row_counts(&self, variables: &Variables) -> Vec<usize> {
        let counts = self.fields.iter().map(|field| {
            let arguments = BoundArguments::new(&field.field, variables);
            field.recorded.read.row_count(arguments)
        });
        counts.collect()
    }

    /// Remembers numbers of documents whose complexity the schema has allowed.
    pub(super) fn allow(&self, counts: Vec<usize>) {
        let mut allowed = lock(&self.allowed);
        if allowed.iter().any(|allowed| is_within(&counts, allowed)) {
            return;
        }
        allowed.retain(|allowed| !is_within(allowed, &counts));
        if allowed.len() == MAX_ALLOWED {
            allowed.remove(0);
        }
        allowed.push(counts);
    }

    /// Takes over what the plan that this one replaces has found out.
    pub(crate) fn succeed(&self, replaced: &Self) {
        for counts in lock(&replaced.allowed).iter() {
            self.allow(counts.clone());
        }
    }

    /// Whether the schema has executed a request of this complexity, or a higher one. Its limit is not
    /// known here, but the complexity of a root field grows with the number of its documents, and with
    /// nothing else.
    pub(super) fn is_allowed(&self, variables: &Variables) -> bool {
        let counts = self.row_counts(variables);
        let allowed = lock(&self.allowed);
        allowed.iter().any(|allowed| is_within(&counts, allowed))
    }

    /// The variables of a request to this operation as the schema would coerce them. None if one is not
    /// valid.
    pub(crate) fn coerced(
        &self,
        operation: &OperationDefinition,
        given: &Variables,
    ) -> Option<Variables> {
        let mut coerced = Variables::default();
        for definition in &operation.variable_definitions {
            let name = &definition.node.name.node;
            if let Some(value) = given.get(name) {
                coerced.insert(name.clone(), value.clone());
            }
        }
        variables::coerce(&self.schema.registry, operation, &mut coerced).ok()?;
        Some(coerced)
    }

    /// Whether a null is where the schema does not allow it: by a variable that is null, or by one in a
    /// list that is omitted.
    pub(super) fn has_wrong_null(
        &self,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> bool {
        let is_whole = variables.len() == operation.variable_definitions.len()
            && variables.values().all(|value| *value != Value::Null);
        !is_whole
            && self.fields.iter().any(|field| {
                let field = BoundArguments::new(&field.field, variables).constant();
                failures::has_wrong_null(&self.schema.registry, &field)
            })
    }
}

/// Whether no number exceeds that of the same field.
fn is_within(counts: &[usize], of: &[usize]) -> bool {
    counts.iter().zip(of).all(|(count, of)| count <= of)
}
