//! How an endpoint answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Data;
use axum::http::request::Parts;
use futures_util::future::BoxFuture;

use crate::DocumentLimits;
use crate::http::mask::InternalError;
use crate::http::refusal::Refusal;
use crate::request::query_cache::{KEPT, Queries};

/// Puts something into the data of each request of a batch.
pub(super) type Fill = Box<dyn Fn(&mut Data) + Send + Sync>;

pub(super) type Hook = dyn Fn(&Parts) -> BoxFuture<'static, Result<Fill, Refusal>> + Send + Sync;

pub(super) type Tell = dyn Fn(&InternalError<'_>) + Send + Sync;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) graphiql: bool,
    pub(super) introspection: bool,
    pub(super) expose_errors: bool,
    pub(super) max_body: usize,
    pub(super) max_batch: Option<usize>,
    pub(super) timeout: Duration,
    pub(super) queries: Arc<Queries>,
    pub(super) data: Vec<Arc<Hook>>,
    pub(super) on_internal_error: Option<Arc<Tell>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            graphiql: false,
            introspection: true,
            expose_errors: false,
            max_body: 1 << 20,
            max_batch: None,
            timeout: Duration::from_secs(30),
            queries: Arc::new(Queries::new(DocumentLimits::default(), KEPT)),
            data: Vec::new(),
            on_internal_error: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("graphiql", &self.graphiql)
            .field("introspection", &self.introspection)
            .field("expose_errors", &self.expose_errors)
            .field("max_body", &self.max_body)
            .field("max_batch", &self.max_batch)
            .field("timeout", &self.timeout)
            .field("limits", &self.queries.limits())
            .finish_non_exhaustive()
    }
}
