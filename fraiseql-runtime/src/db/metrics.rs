//! Names and descriptions of the metrics.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

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
pub(crate) const DRAINED: &str = "fraiseql_worker_changes_total";
pub(crate) const DRAINS: &str = "fraiseql_worker_batches_total";
pub(crate) const DRAIN: &str = "fraiseql_worker_batch_duration_seconds";
pub(crate) const DRAIN_FAILURES: &str = "fraiseql_worker_failures_total";
pub(crate) const DEAD_LETTERS: &str = "fraiseql_worker_dead_letters_total";
pub(crate) const LAG: &str = "fraiseql_worker_lag_seconds";
pub(crate) const REPLICA_READS: &str = "fraiseql_replica_reads_total";
pub(crate) const REPLICA_FALLBACKS: &str = "fraiseql_replica_fallbacks_total";
pub(crate) const REPLICA_WAITS: &str = "fraiseql_replica_waits_total";
pub(crate) const REPLICA_SERVING: &str = "fraiseql_replica_serving";
pub(crate) const REPLICA_LAG: &str = "fraiseql_replica_lag_bytes";
pub(crate) const REPLICA_AGE: &str = "fraiseql_replica_age_seconds";

/// Describes the metrics of this crate to the `metrics` recorder, with their units. Call it once,
/// after installing the recorder.
///
/// | metric | labels | |
/// |---|---|---|
/// | `fraiseql_sync_documents_total` | `entity`, `outcome`: `inserted`, `updated`, `unchanged`, `deleted`, `invalid` | documents, by outcome |
/// | `fraiseql_sync_batches_total` | `entity`, `mode`, `success` | batches that were written or have failed |
/// | `fraiseql_sync_retries_total` | `entity` | retries of batches after a deadlock or a serialization failure |
/// | `fraiseql_sync_errors_total` | `entity`, `mode` | calls that failed |
/// | `fraiseql_verify_documents_total` | `entity`, `outcome`: `right`, `drifted`, `missing`, `orphaned`, `invalid` | documents, counted when the [verification](crate::Verify) of a view ends |
/// | `fraiseql_sync_batch_duration_seconds` | `entity`, `mode`, `success` | histogram: the duration of a batch |
/// | `fraiseql_sync_batch_documents` | `entity`, `mode` | histogram: the number of documents of a batch that succeeded |
/// | `fraiseql_mutation_commit_duration_seconds` | `success` | histogram: the duration of a [commit](crate::Mutation::commit), with its syncs |
/// | `fraiseql_mutation_dependents` | | histogram: the number of documents that depend on the changes of a mutation, recorded at its commit |
/// | `fraiseql_mutation_view_dependents` | `entity` | histogram: the same for one view, if there are any |
/// | `fraiseql_mutation_retries_total` | | retries of mutations by [`mutate`](crate::ReadModel::mutate) |
/// | `fraiseql_worker_changes_total` | | changes that a [worker](crate::worker) has drained |
/// | `fraiseql_worker_batches_total` | `success` | batches of a worker |
/// | `fraiseql_worker_batch_duration_seconds` | `success` | histogram: the duration of a batch of a worker |
/// | `fraiseql_worker_failures_total` | `entity` | how often documents could not be written by a worker |
/// | `fraiseql_worker_dead_letters_total` | `entity` | documents that a worker has given up |
/// | `fraiseql_worker_lag_seconds` | | gauge: the age of the oldest change that is pending, as a worker last saw it |
/// | `fraiseql_replica_reads_total` | `server`: an address, or `primary` | reads through [`Replicas`](crate::Replicas), by who has answered them |
/// | `fraiseql_replica_fallbacks_total` | `reason`: `none`, `behind`, `lost`, `failed` | reads among them that went to the primary: no replica is in the set, none had the position in time, one was lost, a read failed |
/// | `fraiseql_replica_waits_total` | `server`, `arrived` | reads that waited for a position, and whether the replica had it in time |
/// | `fraiseql_replica_serving` | `server` | gauge: 1 if the replica is in the set, 0 if not |
/// | `fraiseql_replica_lag_bytes` | `server` | gauge: how many bytes of the primary's log the replica has not replayed |
/// | `fraiseql_replica_age_seconds` | `server` | gauge: since when the primary has had what the replica has not |
///
/// The documents of a worker are among those of syncs. Documents that are written inside a transaction are counted when they are written, even if the
/// transaction is rolled back later.
pub fn describe_metrics() {
    describe_counter!(DOCUMENTS, Unit::Count, "Documents by outcome");
    describe_counter!(
        BATCHES,
        Unit::Count,
        "Batches that were written or have failed"
    );
    describe_counter!(RETRIES, Unit::Count, "Retries of batches");
    describe_counter!(ERRORS, Unit::Count, "Calls that failed");
    describe_counter!(VERIFIED, Unit::Count, "Verified documents by outcome");
    describe_histogram!(DURATION, Unit::Seconds, "Duration of a batch");
    describe_histogram!(SIZE, Unit::Count, "Documents of a batch that succeeded");
    describe_histogram!(COMMIT, Unit::Seconds, "Duration of a mutation's commit");
    describe_histogram!(
        DEPENDENTS,
        Unit::Count,
        "Documents that depend on the changes of a mutation"
    );
    describe_histogram!(
        VIEW_DEPENDENTS,
        Unit::Count,
        "Documents of a view that depend on the changes of a mutation"
    );
    describe_counter!(MUTATION_RETRIES, Unit::Count, "Retries of mutations");
    describe_counter!(DRAINED, Unit::Count, "Changes that a worker has drained");
    describe_counter!(DRAINS, Unit::Count, "Batches of a worker");
    describe_histogram!(DRAIN, Unit::Seconds, "Duration of a worker's batch");
    describe_counter!(
        DRAIN_FAILURES,
        Unit::Count,
        "How often documents could not be written by a worker"
    );
    describe_counter!(
        DEAD_LETTERS,
        Unit::Count,
        "Documents that a worker has given up"
    );
    describe_counter!(
        REPLICA_READS,
        Unit::Count,
        "Reads by the server that answered"
    );
    describe_counter!(
        REPLICA_FALLBACKS,
        Unit::Count,
        "Reads that went to the primary"
    );
    describe_counter!(
        REPLICA_WAITS,
        Unit::Count,
        "Reads that waited for a position"
    );
    describe_gauge!(
        REPLICA_SERVING,
        Unit::Count,
        "Whether a replica is in the set"
    );
    describe_gauge!(REPLICA_LAG, Unit::Bytes, "How far a replica is behind");
    describe_gauge!(REPLICA_AGE, Unit::Seconds, "How old a replica's data is");
    describe_gauge!(
        LAG,
        Unit::Seconds,
        "Age of the oldest change that is pending"
    );
}

/// The value of the label `success`.
pub(crate) const fn label(success: bool) -> &'static str {
    if success { "true" } else { "false" }
}

/// A number of documents as a value of a histogram. `f64` is exact up to 2^53.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}
