//! Metrics of mutations, behind the feature `metrics`.
#![cfg_attr(not(feature = "metrics"), allow(unused_variables))]

use std::time::Duration;

#[cfg(feature = "metrics")]
use crate::db::metrics as names;
use crate::error::Result;
use crate::mutation::report::MutationReport;

/// A commit has ended. On an error, the mutation was rolled back.
pub(crate) fn commit_ended(result: &Result<MutationReport>, duration: Duration) {
    #[cfg(feature = "metrics")]
    count(result, duration);
}

/// A mutation will run again.
pub(crate) fn retrying() {
    #[cfg(feature = "metrics")]
    metrics::counter!(names::MUTATION_RETRIES).increment(1);
}

/// Records a commit, and the number of dependents if it succeeded: those of deferred views, too.
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
    let deferred = report
        .deferred
        .iter()
        .map(|view| (view.entity, view.at_least as u64));
    let mut all = 0;
    for (entity, documents) in synced.chain(deferred) {
        metrics::histogram!(names::VIEW_DEPENDENTS, "entity" => entity)
            .record(names::float(documents));
        all += documents;
    }
    metrics::histogram!(names::DEPENDENTS).record(names::float(all));
}
