//! Settings of an endpoint, with their defaults.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Data;
use axum::http::request::Parts;
use futures_util::future::BoxFuture;

use crate::budget::{DEFAULT_MAX_IN_FLIGHT, DEFAULT_MAX_RESPONSE, InFlight};
use crate::http::automatic::AutomaticQueries;
use crate::http::internal_error::InternalError;
use crate::http::refusal::Refusal;
use crate::http::trusted::known::Known;
use crate::request::limits::DocumentLimits;
use crate::request::query_cache::{DEFAULT_CAPACITY, QueryCache};

/// Inserts a value into the data of a GraphQL request. Called for each request of a batch.
pub(super) type InsertData = Box<dyn Fn(&mut Data) + Send + Sync>;

pub(super) type DataHook =
    dyn Fn(&Parts) -> BoxFuture<'static, Result<InsertData, Refusal>> + Send + Sync;

/// Makes a value of the first message of a WebSocket and of its HTTP request, or refuses it.
pub(super) type ConnectionHook = dyn Fn(&serde_json::Value, &Parts) -> BoxFuture<'static, Result<InsertData, Refusal>>
    + Send
    + Sync;

pub(super) type ErrorCallback = dyn Fn(&InternalError<'_>) + Send + Sync;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) graphiql: bool,
    pub(super) introspection: bool,
    pub(super) expose_errors: bool,
    /// Whether responses to GET have tags.
    pub(super) etags: bool,
    pub(super) max_body: usize,
    pub(super) max_batch: Option<usize>,
    pub(super) max_response: usize,
    /// Clones of an endpoint share it.
    pub(super) in_flight: Arc<InFlight>,
    pub(super) timeout: Duration,
    pub(super) cache: Arc<QueryCache>,
    pub(super) trusted: Option<Arc<Known>>,
    pub(super) only_trusted: bool,
    /// Clones of an endpoint share it.
    pub(super) automatic: Option<Arc<AutomaticQueries>>,
    pub(super) data: Vec<Arc<DataHook>>,
    /// Of the first message of a WebSocket.
    pub(super) connection_data: Vec<Arc<ConnectionHook>>,
    /// The pages of other origins that may open a WebSocket.
    pub(super) allowed_origins: Vec<String>,
    /// After what time without a message the other side of a stream is asked for one.
    pub(super) keep_alive: Duration,
    /// How often the hooks are asked again, while a stream is open.
    pub(super) recheck: Option<Duration>,
    /// How many operations may run on one WebSocket.
    pub(super) max_operations: usize,
    pub(super) on_internal_error: Option<Arc<ErrorCallback>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            graphiql: false,
            introspection: true,
            expose_errors: false,
            etags: true,
            max_body: 1 << 20,
            max_batch: None,
            max_response: DEFAULT_MAX_RESPONSE,
            in_flight: InFlight::new(DEFAULT_MAX_IN_FLIGHT),
            timeout: Duration::from_secs(30),
            cache: Arc::new(QueryCache::new(DocumentLimits::default(), DEFAULT_CAPACITY)),
            trusted: None,
            only_trusted: false,
            automatic: None,
            data: Vec::new(),
            connection_data: Vec::new(),
            allowed_origins: Vec::new(),
            keep_alive: Duration::from_secs(20),
            recheck: Some(Duration::from_secs(10)),
            max_operations: 100,
            on_internal_error: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trusted = self.trusted.as_ref().map(|known| known.len());
        let automatic = self.automatic.as_ref().map(|queries| queries.max_bytes());
        f.debug_struct("Settings")
            .field("graphiql", &self.graphiql)
            .field("introspection", &self.introspection)
            .field("expose_errors", &self.expose_errors)
            .field("etags", &self.etags)
            .field("max_body", &self.max_body)
            .field("max_batch", &self.max_batch)
            .field("max_response", &self.max_response)
            .field("max_in_flight", &self.in_flight.max())
            .field("timeout", &self.timeout)
            .field("limits", &self.cache.limits())
            .field("keep", &self.cache.capacity())
            .field("trusted", &trusted)
            .field("only_trusted", &self.only_trusted)
            .field("automatic_persisted_queries", &automatic)
            .field("allowed_origins", &self.allowed_origins)
            .field("keep_alive", &self.keep_alive)
            .field("recheck", &self.recheck)
            .field("max_operations", &self.max_operations)
            .finish_non_exhaustive()
    }
}
