//! Batches that a function of the database has written: they are traced, counted, observed and logged like
//! all others.

use std::time::Duration;

use sqlx::PgConnection;

use crate::db::scope::TransactionScope;
use crate::error::{Error, Result};
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
    let mut events = Vec::new();
    for &FinishedBatch { view, keys, report } in batches {
        let event = event(view, keys, Ok(report));
        let work = async {
            telemetry::batch(&event);
            watch.notify(&event);
        };
        telemetry::in_span(view, Mode::Sync, Some(keys.len()), work).await;
        events.push((event, report));
    }
    watch.log_successes(&events, connection).await;
}

/// Reports a batch that a function of the database has written, or could not write, like [`end`].
pub(crate) async fn end_one(
    connection: &mut PgConnection,
    observers: &Observers,
    (view, keys): (Handle, &Keys),
    result: &Result<SyncReport>,
) {
    let watch = Watch::new(observers);
    let event = event(view, keys, result.as_ref());
    telemetry::batch(&event);
    watch.notify(&event);
    watch
        .log(&event, connection, TransactionScope::Caller)
        .await;
}

/// The event of a batch of a function, which retries nothing.
fn event<'e>(
    view: Handle,
    keys: &'e Keys,
    result: std::result::Result<&'e SyncReport, &'e Error>,
) -> BatchEvent<'e> {
    BatchEvent {
        entity: view.view.entity,
        view: view.view.table,
        mode: Mode::Sync,
        keys,
        result,
        duration: result.map_or(Duration::ZERO, |report| report.duration),
        retries: 0,
    }
}
