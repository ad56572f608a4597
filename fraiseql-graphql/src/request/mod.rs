//! Processing of a request before and after its execution.
//!
//! A query is read once: its size is checked ([`limits`]), it is parsed and cached
//! ([`query_cache`]), and what earlier requests have found out about it is kept with it
//! ([`query`]). The [`extension`] of the schema, which [`prepared`] configures, validates and
//! rewrites it for each request and completes the response. [`direct`] answers without the schema. [`position`] is for reads after own writes,
//! [`entity_batches`] keeps entities that are read together, and [`cache_hints`] finds out how long a response may be cached.

pub(crate) mod cache_hints;
pub(crate) mod context;
#[cfg_attr(
    not(feature = "http"),
    expect(dead_code, reason = "only the endpoint answers directly")
)]
pub(crate) mod direct;
pub(crate) mod entity_batches;
pub(crate) mod extension;
pub(crate) mod limits;
pub mod position;
pub(crate) mod prepared;
pub(crate) mod query;
pub(crate) mod query_cache;
pub(crate) mod root_field_dedup;
pub(crate) mod tenant;
