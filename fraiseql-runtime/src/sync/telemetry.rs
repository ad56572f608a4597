//! Traces and metrics of syncs, behind the features `tracing` and `metrics`. Without them the
//! functions do nothing.
#![cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    allow(unused_variables)
)]

use std::future::Future;

#[cfg(feature = "metrics")]
use crate::db::metrics as names;
#[cfg(feature = "tracing")]
use crate::db::telemetry::TARGET;
use crate::error::Error;
use crate::schema::key::Keys;
use crate::sync::event::BatchEvent;
use crate::sync::request::Mode;
use crate::view::Handle;

/// Runs `work` in the span of one call. `keys` is the number of keys that were given; a full sync
/// has none.
///
/// The span is entered at each poll of `work`, and left in between: it must not cover what another
/// task does on the same thread meanwhile.
#[cfg(feature = "tracing")]
pub(crate) fn in_span<F: Future>(
    view: Handle,
    mode: Mode,
    keys: Option<usize>,
    work: F,
) -> impl Future<Output = F::Output> {
    use tracing::Instrument as _;
    let span = tracing::info_span!(
        target: TARGET,
        "sync",
        entity = view.view.entity,
        mode = mode.as_str(),
        keys,
    );
    work.instrument(span)
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn in_span<F: Future>(
    view: Handle,
    mode: Mode,
    keys: Option<usize>,
    work: F,
) -> impl Future<Output = F::Output> {
    work
}

/// Traces and counts a batch that was written or has failed.
pub(crate) fn batch(event: &BatchEvent<'_>) {
    #[cfg(feature = "tracing")]
    match event.result {
        Ok(report) => tracing::debug!(
            target: TARGET,
            entity = event.entity,
            mode = event.mode.as_str(),
            count = event.keys.len(),
            keys = %event.keys,
            inserted = report.inserted,
            updated = report.updated,
            unchanged = report.unchanged,
            deleted = report.deleted,
            invalid = report.invalid.len(),
            retries = event.retries,
            duration_ms = event.duration.as_secs_f64() * 1e3,
            "batch written",
        ),
        Err(error) => tracing::debug!(
            target: TARGET,
            entity = event.entity,
            mode = event.mode.as_str(),
            count = event.keys.len(),
            keys = %event.keys,
            error = %error,
            retries = event.retries,
            duration_ms = event.duration.as_secs_f64() * 1e3,
            "batch failed",
        ),
    }
    #[cfg(feature = "tracing")]
    for document in event.result.iter().flat_map(|report| &report.invalid) {
        tracing::warn!(
            target: TARGET,
            entity = event.entity,
            key = document.key,
            reason = document.reason,
            "document cannot be written",
        );
    }
    #[cfg(feature = "metrics")]
    count(event);
}

/// Traces and counts a retry of a batch.
pub(crate) fn retrying(view: Handle, retry: u32, error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: TARGET,
        entity = view.view.entity,
        retry,
        error = %error,
        "batch is run again",
    );
    #[cfg(feature = "metrics")]
    metrics::counter!(names::RETRIES, "entity" => view.view.entity).increment(1);
}

/// Traces a function of the database that was of no use: the statements are sent instead.
pub(crate) fn function_failed(view: Handle, error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: TARGET,
        entity = view.view.entity,
        error = %error,
        "statements are sent instead of a call",
    );
}

/// Traces and counts a call that failed: once, whichever part of it failed.
pub(crate) fn failed(view: Handle, mode: Mode, error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: TARGET,
        entity = view.view.entity,
        mode = mode.as_str(),
        retryable = error.is_retryable(),
        error = %error,
        "sync failed",
    );
    #[cfg(feature = "metrics")]
    metrics::counter!(
        names::ERRORS,
        "entity" => view.view.entity,
        "mode" => mode.as_str(),
    )
    .increment(1);
}

/// Traces that documents in conflict with another transaction are built again.
pub(crate) fn rebuilding(view: Handle, blocked: &Keys) {
    #[cfg(feature = "tracing")]
    if !blocked.is_empty() {
        tracing::debug!(
            target: TARGET,
            entity = view.view.entity,
            count = blocked.len(),
            keys = %blocked,
            "documents that another transaction wrote meanwhile are built again",
        );
    }
}

/// Traces that a transaction that has synced is still open, and that the batch waits for it.
pub(crate) fn waiting_for_open(view: Handle) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: TARGET,
        entity = view.view.entity,
        "another transaction has synced and is still open; writing again with locks",
    );
}

/// Traces that a transaction that has synced may have committed after the snapshot of the statement,
/// and that the statement is sent again.
pub(crate) fn writing_again(view: Handle) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: TARGET,
        entity = view.view.entity,
        "other transactions have committed since the snapshot; writing again in a new one",
    );
}

/// Traces that the settings or the isolation level of the session are not what documents need, and
/// that the statement is run again with others.
pub(crate) fn session_redone(view: Handle) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: TARGET,
        entity = view.view.entity,
        "TimeZone, extra_float_digits or the isolation level of the session are unsuitable; writing again with suitable ones",
    );
}

/// Traces that stale documents are built to be read.
pub(crate) fn built_to_read(view: Handle, documents: usize) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: TARGET,
        entity = view.view.entity,
        count = documents,
        "stale documents are built to be read",
    );
}

/// Traces a refresh of a materialized view.
pub(crate) fn refreshed(view: Handle, duration: std::time::Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: TARGET,
        entity = view.view.entity,
        duration_ms = duration.as_secs_f64() * 1e3,
        "materialized view refreshed",
    );
}

/// Traces that the log could not be written.
pub(crate) fn log_failed(error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: TARGET, error = %error, "the sync log could not be written");
}

/// Counts a batch.
#[cfg(feature = "metrics")]
fn count(event: &BatchEvent<'_>) {
    let (entity, mode) = (event.entity, event.mode.as_str());
    let success = names::label(event.result.is_ok());
    metrics::counter!(names::BATCHES, "entity" => entity, "mode" => mode, "success" => success)
        .increment(1);
    metrics::histogram!(names::DURATION, "entity" => entity, "mode" => mode, "success" => success)
        .record(event.duration);
    let Ok(report) = event.result else {
        return;
    };
    metrics::histogram!(names::SIZE, "entity" => entity, "mode" => mode)
        .record(names::float(report.total()));
    for (outcome, count) in [
        ("inserted", report.inserted),
        ("updated", report.updated),
        ("unchanged", report.unchanged),
        ("deleted", report.deleted),
        ("invalid", report.invalid.len() as u64),
    ] {
        if count > 0 {
            metrics::counter!(names::DOCUMENTS, "entity" => entity, "outcome" => outcome)
                .increment(count);
        }
    }
}
