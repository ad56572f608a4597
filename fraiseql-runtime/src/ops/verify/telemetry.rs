//! Events and metrics of verifications, with the features `tracing` and `metrics`.
#![cfg_attr(
    not(any(feature = "tracing", feature = "metrics")),
    allow(unused_variables)
)]

#[cfg(feature = "metrics")]
use crate::db::metrics as names;
#[cfg(feature = "tracing")]
use crate::db::telemetry::TARGET;
use crate::ops::verify::report::VerifyReport;
#[cfg(feature = "tracing")]
use crate::sync::report::SyncReport;

/// Records that the verification of a view is complete.
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
    count(report);
}

/// Counts verified documents by outcome.
#[cfg(feature = "metrics")]
fn count(report: &VerifyReport) {
    for (outcome, count) in [
        ("right", report.checked - report.wrong()),
        ("drifted", report.drifted.total()),
        ("missing", report.missing.total()),
        ("orphaned", report.orphaned.total()),
        ("invalid", report.invalid.len() as u64 + report.more_invalid),
    ] {
        if count > 0 {
            let entity = report.entity;
            metrics::counter!(names::VERIFIED, "entity" => entity, "outcome" => outcome)
                .increment(count);
        }
    }
}
