//! Traces and metrics, behind the features `tracing` and `metrics`. Without them every
//! function here is empty.
#![cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    allow(unused_variables)
)]

#[cfg(feature = "metrics")]
pub(crate) mod measured;

use std::future::Future;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::key::Keys;
use crate::mutation::report::MutationReport;
use crate::sync::observe::{BatchEvent, Mode};
#[cfg(feature = "tracing")]
use crate::sync::report::SyncReport;
use crate::sync::verify::report::VerifyReport;
use crate::view::Handle;

/// The target of all spans and events.
#[cfg(feature = "tracing")]
const TARGET: &str = "fraiseql::sync";

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
    measured::batch(event);
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
    metrics::counter!(measured::RETRIES, "entity" => view.view.entity).increment(1);
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
        measured::ERRORS,
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

/// A statement is sent.
pub(crate) fn statement(sql: &str) {
    #[cfg(feature = "tracing")]
    tracing::trace!(target: TARGET, sql, "statement");
}

/// A view was verified.
pub(crate) fn verified(report: &VerifyReport) {
    #[cfg(feature = "tracing")]
    if report.is_clean() {
        tracing::debug!(
            target: TARGET,
            entity = report.entity,
            checked = report.checked,
            duration_ms = report.duration.as_secs_f64() * 1e3,
            "documents are as they should be",
        );
    } else {
        tracing::warn!(
            target: TARGET,
            entity = report.entity,
            checked = report.checked,
            drifted = report.drifted.total(),
            missing = report.missing.total(),
            orphaned = report.orphaned.total(),
            invalid = report.invalid.len() as u64 + report.more_invalid,
            repaired = report.repaired.as_ref().map(SyncReport::changed),
            duration_ms = report.duration.as_secs_f64() * 1e3,
            "documents are not as they should be",
        );
    }
    #[cfg(feature = "metrics")]
    measured::verified(report);
}

/// The log could not be written.
pub(crate) fn log_failed(error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: TARGET, error = %error, "the sync log could not be written");
}

/// A mutation is committed, or was rolled back instead. `duration` is that of the call.
pub(crate) fn mutated(result: &Result<MutationReport>, duration: Duration) {
    #[cfg(feature = "metrics")]
    measured::mutated(result, duration);
}

/// A mutation is run again.
pub(crate) fn mutating_again() {
    #[cfg(feature = "metrics")]
    metrics::counter!(measured::MUTATION_RETRIES).increment(1);
}
