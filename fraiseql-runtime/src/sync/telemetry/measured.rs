//! The names of the metrics, and what each event adds to them.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use crate::error::Result;
use crate::model::ReadModel;
use crate::mutation::report::MutationReport;
use crate::sync::observe::{BatchEvent, Mode};
use crate::sync::verify::report::VerifyReport;

const DOCUMENTS: &str = "fraiseql_sync_documents_total";
const BATCHES: &str = "fraiseql_sync_batches_total";
pub(super) const RETRIES: &str = "fraiseql_sync_retries_total";
pub(super) const ERRORS: &str = "fraiseql_sync_errors_total";
const VERIFIED: &str = "fraiseql_verify_documents_total";
const DURATION: &str = "fraiseql_sync_batch_duration_seconds";
const SIZE: &str = "fraiseql_sync_batch_documents";
const COMMIT: &str = "fraiseql_mutation_commit_duration_seconds";
const DEPENDENTS: &str = "fraiseql_mutation_dependents";
const VIEW_DEPENDENTS: &str = "fraiseql_mutation_view_dependents";
pub(super) const MUTATION_RETRIES: &str = "fraiseql_mutation_retries_total";

pub(super) fn batch(event: &BatchEvent<'_>) {
    let (entity, mode) = (event.entity, event.mode.as_str());
    let success = label(event.result.is_ok());
    counter!(BATCHES, "entity" => entity, "mode" => mode, "success" => success).increment(1);
    histogram!(DURATION, "entity" => entity, "mode" => mode, "success" => success)
        .record(event.duration);
    let Ok(report) = event.result else {
        return;
    };
    histogram!(SIZE, "entity" => entity, "mode" => mode).record(float(report.total()));
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

pub(super) fn mutated(result: &Result<MutationReport>, duration: Duration) {
    histogram!(COMMIT, "success" => label(result.is_ok())).record(duration);
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
        histogram!(VIEW_DEPENDENTS, "entity" => entity).record(float(documents));
        all += documents;
    }
    histogram!(DEPENDENTS).record(float(all));
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
/// | `fraiseql_sync_batch_duration_seconds` | `entity`, `mode`, `success` | histogram: the time of a batch |
/// | `fraiseql_sync_batch_documents` | `entity`, `mode` | histogram: the documents of a batch that succeeded |
/// | `fraiseql_mutation_commit_duration_seconds` | `success` | histogram: the time of a [commit](crate::Mutation::commit), with the syncs |
/// | `fraiseql_mutation_dependents` | | histogram: the documents that depended on what a mutation changed, once it is committed |
/// | `fraiseql_mutation_view_dependents` | `entity` | histogram: those of one view, where there were some |
/// | `fraiseql_mutation_retries_total` | | mutations that [`mutate`](ReadModel::mutate) ran again |
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
    describe_histogram!(COMMIT, Unit::Seconds, "The time of a mutation's commit");
    describe_histogram!(
        DEPENDENTS,
        Unit::Count,
        "The documents that depended on a mutation"
    );
    describe_histogram!(
        VIEW_DEPENDENTS,
        Unit::Count,
        "The documents of a view that depended on a mutation"
    );
    describe_counter!(
        MUTATION_RETRIES,
        Unit::Count,
        "Mutations that were run again"
    );
}

impl ReadModel {
    /// Shows the counters of these views at zero. Otherwise a counter appears with its first
    /// increment, which Prometheus' `increase` and `rate` do not see: an alert on them would
    /// miss the first failure. Call it once, after the `metrics` recorder was installed.
    ///
    /// ```
    /// # #[derive(fraiseql_runtime::TView)]
    /// # struct Post { id: i64 }
    /// # use fraiseql_runtime::ReadModel;
    /// # fn main() -> fraiseql_runtime::Result<()> {
    /// # let recorder = metrics_util::debugging::DebuggingRecorder::new();
    /// # let snapshotter = recorder.snapshotter();
    /// # recorder.install().unwrap();
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// fraiseql_runtime::describe_metrics();
    /// blog.register_metrics();
    /// # let names: Vec<_> = snapshotter.snapshot().into_vec().into_iter()
    /// #     .map(|(key, ..)| key.key().name().to_owned()).collect();
    /// # assert!(names.contains(&"fraiseql_sync_errors_total".to_owned()), "{names:?}");
    /// # Ok(()) }
    /// ```
    pub fn register_metrics(&self) {
        for entity in self.views().map(|view| view.entity) {
            for mode in [Mode::Sync, Mode::Delete, Mode::Full].map(Mode::as_str) {
                for success in [true, false].map(label) {
                    counter!(BATCHES, "entity" => entity, "mode" => mode, "success" => success)
                        .increment(0);
                }
                counter!(ERRORS, "entity" => entity, "mode" => mode).increment(0);
            }
            for outcome in ["inserted", "updated", "unchanged", "deleted", "invalid"] {
                counter!(DOCUMENTS, "entity" => entity, "outcome" => outcome).increment(0);
            }
            for outcome in ["right", "drifted", "missing", "orphaned", "invalid"] {
                counter!(VERIFIED, "entity" => entity, "outcome" => outcome).increment(0);
            }
            counter!(RETRIES, "entity" => entity).increment(0);
        }
        counter!(MUTATION_RETRIES).increment(0);
    }
}

const fn label(success: bool) -> &'static str {
    if success { "true" } else { "false" }
}

/// Numbers of documents: `f64` holds them.
#[allow(clippy::cast_precision_loss)]
fn float(count: u64) -> f64 {
    count as f64
}
