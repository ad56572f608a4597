//! Traces and metrics of workers, behind the features `tracing` and `metrics`.
#![cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    allow(unused_variables)
)]

use std::future::Future;
use std::time::Duration;

#[cfg(feature = "metrics")]
use crate::db::metrics as names;
#[cfg(feature = "tracing")]
use crate::db::telemetry::TARGET;
use crate::error::{Error, Result};
use crate::view::Handle;
use crate::worker::report::WorkerReport;

/// Runs a batch in its span.
#[cfg(feature = "tracing")]
pub(super) fn in_span<F: Future>(work: F) -> impl Future<Output = F::Output> {
    use tracing::Instrument as _;
    work.instrument(tracing::debug_span!(target: TARGET, "drain"))
}

#[cfg(not(feature = "tracing"))]
pub(super) fn in_span<F: Future>(work: F) -> impl Future<Output = F::Output> {
    work
}

/// Traces and counts a batch that was committed or has failed. One without changes is only counted as time.
pub(super) fn batch_ended(result: &Result<WorkerReport>, duration: Duration) {
    #[cfg(feature = "tracing")]
    if let Ok(report) = result
        && report.changes > 0
    {
        tracing::debug!(
            target: TARGET,
            changes = report.changes,
            inserted = report.inserted,
            updated = report.updated,
            unchanged = report.unchanged,
            deleted = report.deleted,
            failed = report.failed,
            dead = report.dead,
            duration_ms = duration.as_secs_f64() * 1e3,
            "changes drained",
        );
    }
    #[cfg(feature = "metrics")]
    {
        let success = names::label(result.is_ok());
        metrics::counter!(names::DRAINS, "success" => success).increment(1);
        metrics::histogram!(names::DRAIN, "success" => success).record(duration);
        if let Ok(report) = result {
            metrics::counter!(names::DRAINED).increment(report.changes);
        }
    }
}

/// Traces documents that are locked, and are tried again in a moment.
pub(super) fn postponed(view: Handle, keys: &[String], reason: &str) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: TARGET,
        entity = view.view.entity,
        count = keys.len(),
        key = keys.first().map_or("", String::as_str),
        reason,
        "documents are locked, and are tried again in a moment",
    );
}

/// Traces and counts documents that could not be written.
pub(super) fn failed(view: Handle, keys: &[String], reason: &str, dead: bool) {
    #[cfg(feature = "tracing")]
    {
        let (entity, count) = (view.view.entity, keys.len());
        let first = keys.first().map_or("", String::as_str);
        match dead {
            true => tracing::error!(
                target: TARGET, entity, count, key = first, reason,
                "documents cannot be written, and are dead letters",
            ),
            false => tracing::warn!(
                target: TARGET, entity, count, key = first, reason,
                "documents cannot be written, and are tried again later",
            ),
        }
    }
    #[cfg(feature = "metrics")]
    {
        let entity = view.view.entity;
        metrics::counter!(names::DRAIN_FAILURES, "entity" => entity).increment(1);
        if dead {
            metrics::counter!(names::DEAD_LETTERS, "entity" => entity).increment(keys.len() as u64);
        }
    }
}

/// Records how far a worker is behind.
pub(super) fn lag(lag: Option<Duration>) {
    #[cfg(feature = "metrics")]
    metrics::gauge!(names::LAG).set(lag.unwrap_or_default().as_secs_f64());
}

/// Traces an error that the worker survives.
pub(super) fn error(error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::error!(target: TARGET, error = %error, "the worker met an error");
}
