//! Batches that a function of the database has written: they are traced, counted, observed and logged like
//! all others.

use sqlx::PgConnection;

use crate::schema::key::Keys;
use crate::sync::event::BatchEvent;
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;
use crate::sync::telemetry;
use crate::sync::watch::{Observers, Watch};
use crate::view::Handle;

/// A batch that was written in the caller's transaction.
pub(crate) struct FinishedBatch<'a> {
    pub(crate) view: Handle,
    pub(crate) keys: &'a Keys,
    pub(crate) report: &'a SyncReport,
}

/// Traces and counts the batches, calls the observers, and writes the rows of the log.
pub(crate) async fn end(
    connection: &mut PgConnection,
    observers: &Observers,
    batches: &[FinishedBatch<'_>],
) {
    let watch = Watch::new(observers);
    let results: Vec<_> = batches
        .iter()
        .map(|batch| Ok(batch.report.clone()))
        .collect();
    let mut events = Vec::new();
    for (batch, result) in batches.iter().zip(&results) {
        let FinishedBatch { view, keys, report } = *batch;
        let event = BatchEvent {
            entity: view.view.entity,
            view: view.view.table,
            mode: Mode::Sync,
            keys,
            result: result.as_ref(),
            duration: report.duration,
            retries: 0,
        };
        let work = async {
            telemetry::batch(&event);
            watch.notify(&event);
        };
        telemetry::in_span(view, Mode::Sync, Some(keys.len()), work).await;
        events.push((event, report));
    }
    watch.log_successes(&events, connection).await;
}
