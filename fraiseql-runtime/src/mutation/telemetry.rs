//! Metrics of mutations, behind the feature `metrics`.
#![cfg_attr(not(feature = "metrics"), allow(unused_variables))]

use std::time::Duration;

#[cfg(feature = "metrics")]
use crate::db::metrics as names;
use crate::error::Result;
use crate::mutation::report::MutationReport;

/// A mutation is committed, or was rolled back instead. `duration` is that of the call.
pub(crate) fn mutated(result: &Result<MutationReport>, duration: Duration) {
    #[cfg(feature = "metrics")]
    count(result, duration);
}

/// A mutation is run again.
pub(crate) fn mutating_again() {
    #[cfg(feature = "metrics")]
    metrics::counter!(names::MUTATION_RETRIES).increment(1);
}

/// Counts a mutation that is over.
#[cfg(feature = "metrics")]
fn count(result: &Result<MutationReport>, duration: Duration) {
    metrics::histogram!(names::COMMIT, "success" => names::label(result.is_ok())).record(duration);
    let Ok(report) = result else {
        return;
    };
    let synced = report
        .views
        .iter()
        .map(|view| (view.entity, view.report.total()));
    let left = report
        .left
        .iter()
        .map(|left| (left.entity, left.at_least as u64));
    let mut all = 0;
    for (entity, documents) in synced.chain(left) {
        metrics::histogram!(names::VIEW_DEPENDENTS, "entity" => entity)
            .record(names::float(documents));
        all += documents;
    }
    metrics::histogram!(names::DEPENDENTS).record(names::float(all));
}
