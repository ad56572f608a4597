//! Queries in the data of a request and of its execution.

use std::sync::Arc;

use crate::request::query::Query;

/// In the data of an execution: its query, if that is cached.
pub(crate) struct CachedQuery(pub(crate) Arc<Query>);

/// In the data of a request: its query, which the endpoint has read. The request has the parsed
/// document already.
pub(crate) struct EndpointQuery(pub(crate) Arc<Query>);
