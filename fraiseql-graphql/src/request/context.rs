//! Queries in the data of a request and of its execution.

use std::sync::{Arc, Mutex, OnceLock};

use apollo_compiler::ast;
use fraiseql_runtime::__graphql::lock;

use crate::request::query::{Query, ReadQuery, Validity};

/// In the data of an execution: its query, if that is cached.
pub(crate) struct CachedQuery(pub(crate) Arc<Query>);

/// In the data of a request: its query, which the endpoint has read. The request has the parsed
/// document already.
pub(crate) struct EndpointQuery {
    query: Arc<Query>,
    tree: Mutex<Option<ast::Document>>,
}

impl EndpointQuery {
    #[cfg(feature = "http")]
    pub(crate) fn new(read: ReadQuery) -> Self {
        Self {
            query: read.query,
            tree: Mutex::new(read.tree),
        }
    }

    /// The query. Its tree is there only the first time.
    pub(crate) fn take(&self) -> ReadQuery {
        ReadQuery {
            query: Arc::clone(&self.query),
            tree: lock(&self.tree).take(),
        }
    }
}

/// In the data of a request whose query is only to be validated. It is never executed.
pub(crate) struct Check(Arc<OnceLock<Validity>>);

impl Check {
    /// The mark of a request, and the place where the result will be.
    #[cfg(feature = "http")]
    pub(crate) fn new() -> (Self, Arc<OnceLock<Validity>>) {
        let verdict = Arc::new(OnceLock::new());
        (Self(Arc::clone(&verdict)), verdict)
    }

    pub(crate) fn set(&self, validity: Validity) {
        // The request is prepared once.
        let _ = self.0.set(validity);
    }
}
