//! Queries in the data of a request and of its execution.

use std::sync::{Arc, Mutex, OnceLock};

use apollo_compiler::ast;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::registry::Registry;
use async_graphql::{ServerError, Variables};
use fraiseql_runtime::__graphql::lock;

use crate::request::query::{Query, ReadQuery, Validity};
use crate::spec::operation::operation;
use crate::spec::root_fields::RootFields;

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

/// In the data of a request that is only to be validated. It is never executed.
pub(crate) struct Check {
    /// The operation whose cost is compared with the limits of the schema.
    pub(crate) operation: Option<String>,
    pub(crate) verdict: Arc<Verdict>,
}

impl Check {
    pub(crate) fn is_introspection(
        &self,
        registry: &Registry,
        document: &ExecutableDocument,
    ) -> bool {
        let operation = operation(document, self.operation.as_deref());
        let root_fields = |operation| {
            RootFields::of(
                registry,
                &document.fragments,
                operation,
                &Variables::default(),
            )
        };
        operation.is_some_and(|operation| root_fields(operation).are_introspection)
    }
}

/// What the validation has found.
#[derive(Default)]
pub(crate) struct Verdict {
    /// Not set if the request has not come as far as the extension.
    pub(crate) validity: OnceLock<Validity>,
    /// The limit of the schema that the operation exceeds.
    pub(crate) exceeded: OnceLock<ServerError>,
}
