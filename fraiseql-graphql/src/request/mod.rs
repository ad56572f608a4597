//! What is done with each request: limits before parsing, the cache of queries, the extension of
//! the schema, and the plans of requests that come again.

pub(crate) mod cached_plan;
pub(crate) mod context;
pub(crate) mod limits;
pub(crate) mod prepared;
pub(crate) mod query_cache;
pub(crate) mod root_field_dedup;
