//! Operations: metrics, readiness and logs.
//!
//! | module | |
//! |---|---|
//! | [`metrics`] | the Prometheus recorder |
//! | [`http`] | request metrics |
//! | [`slow`] | warnings about slow syncs |
//! | [`syncs`] | statistics of the last 24 hours, from the sync log |
//! | [`changes`] | what is left to the workers |
//! | [`ready`] | the readiness check |
//! | [`logs`] | the log on standard error |
//! | `routes` | the HTTP routes of all these |

pub mod changes;
pub mod http;
pub mod logs;
pub mod metrics;
pub mod ready;
mod routes;
pub mod slow;
pub mod syncs;

pub(crate) use routes::measured;
pub use routes::router;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;

use self::http::Requests;
use self::metrics::Metrics;
use self::slow::SlowSyncs;

/// State of metrics, slow-sync warnings and shutdown. A clone is another handle.
#[derive(Clone, Debug)]
pub struct Ops {
    metrics: Metrics,
    requests: Requests,
    slow_sync: Duration,
    shutting_down: Arc<AtomicBool>,
}

impl Ops {
    /// Installs the metrics recorder, once in a process and before anything is recorded. Syncs
    /// that take `slow_sync` or longer are logged as warnings.
    ///
    /// # Errors
    /// If a recorder is installed already.
    pub fn install(slow_sync: Duration) -> Result<Self> {
        Ok(Self {
            metrics: Metrics::install()?,
            requests: Requests::default(),
            slow_sync,
            shutting_down: Arc::default(),
        })
    }

    /// The observer that logs slow syncs.
    #[must_use]
    pub fn slow_syncs(&self) -> SlowSyncs {
        SlowSyncs::new(self.slow_sync)
    }

    /// Makes `/ready` return 503 from now on, so that load balancers stop sending requests.
    pub fn shut_down(&self) {
        self.shutting_down.store(true, Ordering::Relaxed);
    }

    fn is_shutting_down(&self) -> bool {
        self.shutting_down.load(Ordering::Relaxed)
    }
}
