//! What the extension puts into the data of a request and of its execution.

use std::sync::Arc;

use crate::request::query_cache::Query;

/// In the data of an execution: its query, where that is kept.
pub(crate) struct Kept(pub(crate) Arc<Query>);

/// In the data of a request: its query, which was read already, and given to it.
pub(crate) struct AlreadyRead(pub(crate) Arc<Query>);
