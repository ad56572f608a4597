//! Tests that the log, observers, traces and metrics report what a sync did.

mod log;
mod observers;
mod telemetry;

use std::sync::{Arc, Mutex};

use fraiseql_runtime::Error;
use fraiseql_runtime::sync::{BatchEvent, SyncObserver};
use fraiseql_tests::world::counts;

#[derive(Clone, Default)]
struct RecordedBatches(Arc<Mutex<Vec<String>>>);

impl SyncObserver for RecordedBatches {
    fn batch(&self, batch: &BatchEvent<'_>) {
        let outcome = match batch.result {
            Ok(report) => format!("{:?}", counts(report)),
            Err(error) => error.to_string(),
        };
        let text = format!(
            "{} {} ({} keys, {} retries) {outcome}",
            batch.mode,
            batch.view.name,
            batch.keys.len(),
            batch.retries
        );
        assert!(!batch.duration.is_zero());
        self.0.lock().unwrap().push(text);
    }

    fn log_failed(&self, error: &Error) {
        self.0.lock().unwrap().push(error.to_string());
    }
}

impl RecordedBatches {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
