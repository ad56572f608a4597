//! A recorder as a sync target: what its calls return.

use crate::error::Result;
use crate::read::typed::TView;
use crate::schema::default_schema::DefaultSchema;
use crate::schema::key::Keys;
use crate::sync::report::SyncReport;
use crate::sync::request::{Mode, SyncRequest};
use crate::sync::target::SyncTarget;
use crate::sync::watch::{StartedBatch, Watch};
use crate::testing::failure::Failure;
use crate::testing::recorder::call::Call;
use crate::testing::recorder::record::Recorder;

impl Recorder {
    /// Makes the next call fail, for any view. Several failures are used one after another.
    pub fn fail_next(&self, failure: Failure) {
        self.lock().next_failures.push_back(failure);
    }

    /// Makes every call for `V` fail, until [`heal`](Self::heal).
    pub fn fail<V: TView>(&self, failure: Failure) {
        self.lock().failures.insert(V::VIEW.table, failure);
    }

    /// Ends the failures that [`fail`](Self::fail) set for `V`.
    pub fn heal<V: TView>(&self) {
        self.lock().failures.remove(&V::VIEW.table);
    }

    /// Sets the report of calls for `V` that succeed.
    pub fn reports<V: TView>(&self, report: SyncReport) {
        self.lock().reports.insert(V::VIEW.table, report);
    }

    /// Records a call, and returns the result that was set for it.
    fn record(&self, request: &SyncRequest<'_>, keys: &Keys) -> Result<SyncReport> {
        let (view, mode, _) = request.summary();
        let table = view.view.table;
        let mut record = self.lock();
        let next_failure = record.next_failures.pop_front();
        let failure = next_failure.or_else(|| record.failures.get(&table).cloned());
        let result = match failure {
            Some(failure) => Err(failure.error(view, mode == Mode::Delete, keys)),
            None => Ok(match record.reports.get(&table) {
                Some(report) => report.clone(),
                None => default_report(mode, keys.len() as u64),
            }),
        };
        record.calls.push(Call {
            entity: view.view.entity,
            view: table,
            mode,
            keys: keys.clone(),
            error: result.as_ref().err().map(ToString::to_string),
        });
        result
    }
}

/// A report of every key as deleted or updated.
fn default_report(mode: Mode, keys: u64) -> SyncReport {
    match mode {
        Mode::Delete => SyncReport {
            deleted: keys,
            ..SyncReport::default()
        },
        Mode::Sync | Mode::Full => SyncReport {
            updated: keys,
            ..SyncReport::default()
        },
    }
}

impl SyncTarget for &Recorder {
    async fn run(self, request: SyncRequest<'_>, watch: &Watch<'_>) -> Result<SyncReport> {
        // Assertions name the view by its struct, in whichever schema it was synced.
        let request = request.in_schema(DefaultSchema::DECLARED);
        let (view, mode, _) = request.summary();
        let keys = match &request {
            SyncRequest::Sync { keys, .. } | SyncRequest::Delete { keys, .. }
                if keys.is_empty() =>
            {
                return Ok(SyncReport::default());
            }
            SyncRequest::Sync { keys, .. }
            | SyncRequest::Delete { keys, .. }
            | SyncRequest::Replace { keys, .. } => keys.clone(),
            SyncRequest::Full { .. } => view.no_keys(),
        };
        let batch = StartedBatch::now(watch, view, mode, &keys);
        batch.end_unlogged(self.record(&request, &keys))
    }
}
