//! Direct answers: a request that repeats an earlier one is answered without executing the schema,
//! with the statement and the projection of the earlier one.

use std::sync::{Arc, Mutex};

#[cfg(feature = "http")]
use async_graphql::Data;
use async_graphql::parser::types::{OperationDefinition, OperationType, Selection as Item};
use async_graphql::{CacheControl, Response};

#[cfg(feature = "http")]
use crate::budget::Budget;
use crate::request::tenant::TenantSource;
#[cfg(feature = "http")]
use crate::response::MAX_RESERVED_BYTES;
use fraiseql_runtime::__graphql::{ListPlan, lock};
use fraiseql_runtime::Readers;
#[cfg(feature = "http")]
use fraiseql_runtime::WalPosition;
use fraiseql_runtime::select::Projection;

/// How a request for one root field was answered. It contains no data: documents are read each
/// time.
#[cfg_attr(
    not(feature = "http"),
    expect(dead_code, reason = "only the endpoint replays a plan")
)]
pub(crate) struct CachedPlan {
    pub(crate) response_key: String,
    /// Whether the value is a list of documents; otherwise it is one document or null.
    pub(crate) is_list: bool,
    /// The statement without the tenant, which each request names for itself.
    pub(crate) plan: ListPlan,
    /// Where the tenant is taken from, if the view has tenants.
    pub(crate) tenant: Option<TenantSource>,
    pub(crate) projection: Projection,
    pub(crate) readers: Readers,
}

/// In the data of an execution whose plan may be cached: the resolver of its only root field
/// records the plan here.
#[derive(Clone, Default)]
pub(crate) struct PlanRecorder(Arc<Mutex<Option<CachedPlan>>>);

impl PlanRecorder {
    pub(crate) fn record(&self, plan: CachedPlan) {
        *lock(&self.0) = Some(plan);
    }

    /// Takes the recorded plan, if the response consists of its documents only. A plan cannot
    /// reproduce errors, extensions or headers.
    pub(crate) fn take(&self, response: &Response) -> Option<CachedPlan> {
        let is_data_only = response.errors.is_empty()
            && response.extensions.is_empty()
            && response.http_headers.is_empty();
        lock(&self.0).take().filter(|_| is_data_only)
    }
}

/// Whether an operation is a query of one field without directives. A directive may depend on
/// something other than the request.
pub(crate) fn is_single_field(operation: &OperationDefinition) -> bool {
    let set = &operation.selection_set.node;
    operation.ty == OperationType::Query
        && operation.directives.is_empty()
        && matches!(set.items.as_slice(), [item]
            if matches!(&item.node, Item::Field(field) if field.node.directives.is_empty()))
}

/// Whether a response is sent without a `Cache-Control` header. A plan cannot reproduce it.
pub(crate) fn has_no_cache_header(cache: CacheControl) -> bool {
    cache.value().is_none()
}

#[cfg(feature = "http")]
impl CachedPlan {
    /// Reads the documents, as they are after a position, and writes the response to a request with this data. `None` if there
    /// is an error: the request is then to be executed by the schema, which reports it with its path.
    pub(crate) async fn replay(
        &self,
        data: &Data,
        position: Option<WalPosition>,
        budget: &Arc<Budget>,
    ) -> Option<Vec<u8>> {
        use fraiseql_runtime::__graphql::{ByteLimit, ListRow, Scope, Written};
        use fraiseql_runtime::ReadTarget as _;

        // Any error, of the database or of a document, discards what was written so far: only the
        // schema can report it with its path. It then reads the documents again.
        let limit = Arc::clone(budget) as Arc<dyn ByteLimit>;
        let scope = match &self.tenant {
            Some(tenant) => tenant.scope_of(data)?,
            None => Scope::Whole,
        };
        let read = self.plan.read(scope)?.within(Some(limit));
        let rows = self.readers.at_least(position).list(read).await.ok()?;
        let documents = rows.iter().filter_map(ListRow::document);
        let size: usize = documents
            .clone()
            .map(|document| document.json().len())
            .sum();
        let mut out =
            Vec::with_capacity(self.response_key.len() + 16 + size.min(MAX_RESERVED_BYTES));
        // A response key is a GraphQL name, which needs no escaping.
        out.extend_from_slice(b"{\"data\":{\"");
        out.extend_from_slice(self.response_key.as_bytes());
        out.extend_from_slice(b"\":");
        // The layout is that of `write_response` for this one field.
        let mut errors = Vec::new();
        let mut write = |json: &[u8], out: &mut Vec<u8>| {
            let before = out.len();
            let max_len = before.saturating_add(budget.left());
            let written = self
                .projection
                .write_within(json, out, &mut errors, max_len);
            if written == Written::TooLong {
                budget.refuse();
            }
            (budget.write(out.len() - before) && errors.is_empty()).then_some(())
        };
        if self.is_list {
            out.push(b'[');
            for (index, document) in documents.enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(document.json(), &mut out)?;
            }
            out.push(b']');
        } else {
            // A document whose row is gone from the base table is missing in `documents`.
            match documents.take(1).next() {
                Some(document) => write(document.json(), &mut out)?,
                None => out.extend_from_slice(b"null"),
            }
        }
        out.extend_from_slice(b"}}");
        Some(out)
    }
}
