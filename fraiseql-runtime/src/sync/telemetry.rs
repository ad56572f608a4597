//! Traces and metrics, behind the features `tracing` and `metrics`. Without them every
//! function here is empty.
#![cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    allow(unused_variables)
)]

use std::future::Future;

use crate::error::Error;
use crate::key::Keys;
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

#[cfg(feature = "metrics")]
pub(crate) mod measured {
    //! The names of the metrics, and what a batch adds to them.

    use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

    use crate::sync::observe::BatchEvent;
    use crate::sync::verify::report::VerifyReport;

    const DOCUMENTS: &str = "fraiseql_sync_documents_total";
    const BATCHES: &str = "fraiseql_sync_batches_total";
    pub(super) const RETRIES: &str = "fraiseql_sync_retries_total";
    pub(super) const ERRORS: &str = "fraiseql_sync_errors_total";
    const VERIFIED: &str = "fraiseql_verify_documents_total";
    const DURATION: &str = "fraiseql_sync_batch_duration_seconds";
    const SIZE: &str = "fraiseql_sync_batch_documents";

    pub(super) fn batch(event: &BatchEvent<'_>) {
        let (entity, mode) = (event.entity, event.mode.as_str());
        let success = if event.result.is_ok() {
            "true"
        } else {
            "false"
        };
        counter!(BATCHES, "entity" => entity, "mode" => mode, "success" => success).increment(1);
        histogram!(DURATION, "entity" => entity, "mode" => mode).record(event.duration);
        let Ok(report) = event.result else {
            return;
        };
        // A batch has at most some hundred documents: f64 holds that.
        #[allow(clippy::cast_precision_loss)]
        histogram!(SIZE, "entity" => entity, "mode" => mode).record(report.total() as f64);
        for (outcome, count) in [
            ("inserted", report.inserted),
            ("updated", report.updated),
            ("unchanged", report.unchanged),
            ("deleted", report.deleted),
            ("invalid", report.invalid.len() as u64),
        ] {
            if count > 0 {
                counter!(DOCUMENTS, "entity" => entity, "outcome" => outcome).increment(count);
            }
        }
    }

    pub(super) fn verified(report: &VerifyReport) {
        for (outcome, count) in [
            ("right", report.checked - report.wrong()),
            ("drifted", report.drifted.total()),
            ("missing", report.missing.total()),
            ("orphaned", report.orphaned.total()),
            ("invalid", report.invalid.len() as u64 + report.more_invalid),
        ] {
            if count > 0 {
                let entity = report.entity;
                counter!(VERIFIED, "entity" => entity, "outcome" => outcome).increment(count);
            }
        }
    }

    /// Describes the metrics of this crate to the `metrics` recorder, with their units. Call it
    /// once, after the recorder was installed.
    ///
    /// | metric | labels | |
    /// |---|---|---|
    /// | `fraiseql_sync_documents_total` | `entity`, `outcome`: `inserted`, `updated`, `unchanged`, `deleted`, `invalid` | documents |
    /// | `fraiseql_sync_batches_total` | `entity`, `mode`, `success` | batches that are over |
    /// | `fraiseql_sync_retries_total` | `entity` | batches run again after a deadlock or a serialization failure |
    /// | `fraiseql_sync_errors_total` | `entity`, `mode` | calls that failed |
    /// | `fraiseql_verify_documents_total` | `entity`, `outcome`: `right`, `drifted`, `missing`, `orphaned`, `invalid` | documents, once a view is [verified](crate::Verify) |
    /// | `fraiseql_sync_batch_duration_seconds` | `entity`, `mode` | histogram: the time of a batch |
    /// | `fraiseql_sync_batch_documents` | `entity`, `mode` | histogram: the documents of a batch that succeeded |
    ///
    /// Documents written inside a transaction are counted when they are written, also if it is
    /// rolled back later.
    pub fn describe_metrics() {
        describe_counter!(DOCUMENTS, Unit::Count, "Documents, by what became of them");
        describe_counter!(BATCHES, Unit::Count, "Batches that are over");
        describe_counter!(RETRIES, Unit::Count, "Batches that were run again");
        describe_counter!(ERRORS, Unit::Count, "Calls that failed");
        describe_counter!(
            VERIFIED,
            Unit::Count,
            "Verified documents, by what was found"
        );
        describe_histogram!(DURATION, Unit::Seconds, "The time of a batch");
        describe_histogram!(SIZE, Unit::Count, "The documents of a batch");
    }
}
