//! Traces and metrics, behind the features `tracing` and `metrics`. Without them every
//! function here is empty.
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

/// The span of one call. `keys` is how many it was given; a full sync finds its own.
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

/// A batch is over.
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

/// A batch is run again.
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

/// A call has failed. Told once for each call, whatever failed in it.
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

/// Documents that others wrote meanwhile are built once more.
pub(crate) fn rebuilding(view: Handle, blocked: &Keys) {
    #[cfg(feature = "tracing")]
    if !blocked.is_empty() {
        tracing::debug!(
            target: TARGET,
            entity = view.view.entity,
            count = blocked.len(),
            keys = %blocked,
            "documents that others wrote meanwhile are built again",
        );
    }
}

/// A transaction that has synced is not over, and the batch waits for the rows that it embeds.
pub(crate) fn waiting_for_open(view: Handle) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: TARGET,
        entity = view.view.entity,
        "another transaction has synced and is not over; run again with locks",
    );
}

/// The session's settings, or its isolation level, did not fit, and the statement is run again with others.
pub(crate) fn session_redone(view: Handle) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: TARGET,
        entity = view.view.entity,
        "TimeZone, extra_float_digits or the isolation level of the session do not fit; run again with those that do",
    );
}

/// Documents that are read are stored in another shape.
pub(crate) fn built_to_read(view: Handle, documents: usize) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: TARGET,
        entity = view.view.entity,
        count = documents,
        "documents of another shape are built to be read",
    );
}

/// The log could not be written.
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
