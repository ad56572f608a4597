//! `ReadModel::register_metrics`: registers the counters of every view at zero.

use metrics::counter;

use crate::db::metrics as names;
use crate::model::read_model::ReadModel;
use crate::sync::request::Mode;

impl ReadModel {
    /// Registers the counters of these views at zero. Otherwise a counter appears with its first
    /// increment, which `increase` and `rate` of Prometheus do not see: an alert on them would miss
    /// the first failure. Call it once, after installing the recorder of `metrics`.
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
    /// fraiseql_runtime::sync::describe_metrics();
    /// blog.register_metrics();
    /// # let names: Vec<_> = snapshotter.snapshot().into_vec().into_iter()
    /// #     .map(|(key, ..)| key.key().name().to_owned()).collect();
    /// # assert!(names.contains(&"fraiseql_sync_errors_total".to_owned()), "{names:?}");
    /// # Ok(()) }
    /// ```
    pub fn register_metrics(&self) {
        for entity in self.views().map(|view| view.entity) {
            for mode in [Mode::Sync, Mode::Delete, Mode::Full].map(Mode::as_str) {
                for success in [true, false].map(names::label) {
                    counter!(names::BATCHES, "entity" => entity, "mode" => mode, "success" => success)
                        .increment(0);
                }
                counter!(names::ERRORS, "entity" => entity, "mode" => mode).increment(0);
            }
            for outcome in ["inserted", "updated", "unchanged", "deleted", "invalid"] {
                counter!(names::DOCUMENTS, "entity" => entity, "outcome" => outcome).increment(0);
            }
            for outcome in ["right", "drifted", "missing", "orphaned", "invalid"] {
                counter!(names::VERIFIED, "entity" => entity, "outcome" => outcome).increment(0);
            }
            counter!(names::RETRIES, "entity" => entity).increment(0);
        }
        counter!(names::MUTATION_RETRIES).increment(0);
    }
}
