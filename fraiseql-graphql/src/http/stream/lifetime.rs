//! How long a stream may last: until the server shuts down.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use axum::http::Extensions;
use tokio::sync::watch;

/// What a server adds to each request, for answers that outlast it.
#[derive(Clone)]
pub(in crate::http) struct Lifetime {
    /// Whose sender is dropped when the server shuts down.
    stopped: watch::Receiver<()>,
    /// What is dropped when the last answer on the connection has ended.
    _held: Arc<dyn Any + Send + Sync>,
}

impl Lifetime {
    #[cfg(feature = "server")]
    pub(in crate::http) fn new(
        stopped: watch::Receiver<()>,
        held: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        Self {
            stopped,
            _held: held,
        }
    }

    /// That of a request. A server without one is not waited for.
    pub(in crate::http) fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }
}

/// Waits until the server shuts down.
pub(super) async fn end(lifetime: &mut Option<Lifetime>) {
    match lifetime {
        Some(lifetime) => while lifetime.stopped.changed().await.is_ok() {},
        None => std::future::pending().await,
    }
}

impl fmt::Debug for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifetime").finish_non_exhaustive()
    }
}
