//! Warnings about slow syncs: an observer of the read model.

use std::time::Duration;

use fraiseql_runtime::sync::{BatchEvent, SyncObserver};
use metrics::counter;

pub(super) const SLOW_SYNCS: &str = "blog_slow_syncs_total";

/// Logs each batch that takes at least `threshold`, and counts it.
#[derive(Clone, Copy, Debug)]
pub struct SlowSyncs {
    threshold: Duration,
}

impl SlowSyncs {
    pub(super) fn new(threshold: Duration) -> Self {
        Self { threshold }
    }
}

impl SyncObserver for SlowSyncs {
    fn batch(&self, batch: &BatchEvent<'_>) {
        if batch.duration < self.threshold {
            return;
        }
        counter!(SLOW_SYNCS, "entity" => batch.entity).increment(1);
        tracing::warn!(
            entity = batch.entity,
            mode = batch.mode.as_str(),
            count = batch.keys.len(),
            keys = %batch.keys,
            documents = batch.result.ok().map(|report| report.total()),
            retries = batch.retries,
            duration_ms = batch.duration.as_secs_f64() * 1e3,
            threshold_ms = self.threshold.as_secs_f64() * 1e3,
            "slow sync",
        );
    }
}
