//! The blog in operation: what a monitor asks it, and what it says by itself.
//!
//! [`metrics`] is what Prometheus reads, [`http`] measures requests for it, [`slow`] warns of slow
//! syncs; [`syncs`] is the last day as the log of syncs has it; [`ready`] is whether requests can
//! be answered; [`logs`] is how events are written.

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

/// What operations need of the whole application. A clone is another handle.
#[derive(Clone, Debug)]
pub struct Ops {
    metrics: Metrics,
    requests: Requests,
    slow_sync: Duration,
    shutting_down: Arc<AtomicBool>,
}

impl Ops {
    /// Installs the recorder of metrics, once in a process and before anything is measured. A sync
    /// that takes `slow_sync` or longer is warned of.
    ///
    /// # Errors
    /// When a recorder is installed already.
    pub fn install(slow_sync: Duration) -> Result<Self> {
        Ok(Self {
            metrics: Metrics::install()?,
            requests: Requests::default(),
            slow_sync,
            shutting_down: Arc::default(),
        })
    }

    /// Who warns of slow syncs.
    #[must_use]
    pub fn slow_syncs(&self) -> SlowSyncs {
        SlowSyncs::new(self.slow_sync)
    }

    /// From now on it is not ready: who sends requests should send them elsewhere.
    pub fn shut_down(&self) {
        self.shutting_down.store(true, Ordering::Relaxed);
    }

    fn is_shutting_down(&self) -> bool {
        self.shutting_down.load(Ordering::Relaxed)
    }
}
