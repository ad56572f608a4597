//! Requests that are answered past the schema: what was answered with the documents of one root
//! field is answered with them again, by the same statement and the same projection.

use std::sync::{Arc, Mutex};

use async_graphql::parser::types::{OperationDefinition, OperationType, Selection as Item};
use async_graphql::{CacheControl, Response};

#[cfg(feature = "http")]
use crate::response::MAX_RESERVED_BYTES;
use fraiseql_runtime::__graphql::ListRead;
use fraiseql_runtime::__graphql::lock;
use fraiseql_runtime::Readers;
use fraiseql_runtime::select::Projection;

/// How a request was answered. None of it is data.
#[cfg_attr(
    not(feature = "http"),
    expect(dead_code, reason = "it is the endpoint that answers so")
)]
pub(crate) struct CachedPlan {
    /// The field's name in the answer.
    pub(crate) name: String,
    /// Else it is one document, or null.
    pub(crate) is_list: bool,
    pub(crate) read: ListRead,
    pub(crate) projection: Projection,
    pub(crate) readers: Readers,
}

/// In the data of an execution that may be answered directly another time: where its only root
/// field says how it is answered.
#[derive(Clone, Default)]
pub(crate) struct PlanRecorder(Arc<Mutex<Option<CachedPlan>>>);

impl PlanRecorder {
    pub(crate) fn record(&self, direct: CachedPlan) {
        *lock(&self.0) = Some(direct);
    }

    /// What was recorded, if the answer is that, and nothing beside it.
    pub(crate) fn of(&self, response: &Response) -> Option<CachedPlan> {
        let is_all = response.errors.is_empty()
            && response.extensions.is_empty()
            && response.http_headers.is_empty();
        lock(&self.0).take().filter(|_| is_all)
    }
}

/// Whether an operation is a query of one field, whatever is inside of that.
pub(crate) fn is_one_field(operation: &OperationDefinition) -> bool {
    let set = &operation.selection_set.node;
    operation.ty == OperationType::Query
        && operation.directives.is_empty()
        && matches!(set.items.as_slice(), [item]
            if matches!(&item.node, Item::Field(field) if field.node.directives.is_empty()))
}

/// Whether an answer is sent without a word of how long it may be kept.
pub(crate) fn is_silent(cache: CacheControl) -> bool {
    cache.value().is_none()
}

impl CachedPlan {
    /// The answer as it is sent; `None` where there is an error to be told, for the schema to do.
    #[cfg(feature = "http")]
    pub(crate) async fn answer(&self) -> Option<Vec<u8>> {
        use fraiseql_runtime::__graphql::ListRow;
        use fraiseql_runtime::ReadTarget as _;

        let documents = self.readers.list(self.read.clone()).await.ok()?;
        let documents = documents.iter().filter_map(ListRow::document);
        let size: usize = documents.clone().map(|one| one.json().len()).sum();
        let mut out = Vec::with_capacity(self.name.len() + 16 + size.min(MAX_RESERVED_BYTES));
        out.extend_from_slice(b"{\"data\":{\"");
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(b"\":");
        let mut errors = Vec::new();
        let mut write = |json: &[u8], out: &mut Vec<u8>| {
            self.projection.write_with(json, out, &mut errors);
            errors.is_empty().then_some(())
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
            match documents.take(1).next() {
                Some(document) => write(document.json(), &mut out)?,
                None => out.extend_from_slice(b"null"),
            }
        }
        out.extend_from_slice(b"}}");
        Some(out)
    }
}
