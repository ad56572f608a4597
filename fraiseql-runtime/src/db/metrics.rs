//! The names of the metrics, and their descriptions.

use metrics::{Unit, describe_counter, describe_histogram};

pub(crate) const DOCUMENTS: &str = "fraiseql_sync_documents_total";
pub(crate) const BATCHES: &str = "fraiseql_sync_batches_total";
pub(crate) const RETRIES: &str = "fraiseql_sync_retries_total";
pub(crate) const ERRORS: &str = "fraiseql_sync_errors_total";
pub(crate) const VERIFIED: &str = "fraiseql_verify_documents_total";
pub(crate) const DURATION: &str = "fraiseql_sync_batch_duration_seconds";
pub(crate) const SIZE: &str = "fraiseql_sync_batch_documents";
pub(crate) const COMMIT: &str = "fraiseql_mutation_commit_duration_seconds";
pub(crate) const DEPENDENTS: &str = "fraiseql_mutation_dependents";
pub(crate) const VIEW_DEPENDENTS: &str = "fraiseql_mutation_view_dependents";
pub(crate) const MUTATION_RETRIES: &str = "fraiseql_mutation_retries_total";

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
/// | `fraiseql_mutation_retries_total` | | mutations that [`mutate`](crate::ReadModel::mutate) ran again |
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

/// The value of the label `success`.
pub(crate) const fn label(success: bool) -> &'static str {
    if success { "true" } else { "false" }
}

/// Numbers of documents: `f64` holds them.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}
