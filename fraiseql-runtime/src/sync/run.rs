//! Entry points: a request runs on its target, in a span, with its observers.

use std::time::Instant;

use crate::error::Result;
use crate::sync::event::BatchEvent;
use crate::sync::report::SyncReport;
use crate::sync::request::SyncRequest;
use crate::sync::target::SyncTarget;
use crate::sync::telemetry;
use crate::sync::watch::{NO_OBSERVERS, Observers, Watch};

/// Runs a request in a span. Every call of a user comes through here; observers of a read model are
/// added by the target, [`Observed`](crate::sync::Observed).
pub(crate) async fn run(target: impl SyncTarget, request: SyncRequest<'_>) -> Result<SyncReport> {
    let (view, mode, keys) = request.summary();
    let watch = Watch::new(&NO_OBSERVERS);
    let work = async {
        let result = target.run(request, &watch).await;
        if let Err(error) = &result {
            telemetry::failed(view, mode, error);
        }
        result
    };
    telemetry::in_span(view, mode, keys, work).await
}

/// Runs a request in a span, with observers.
pub(crate) async fn run_observed_in_span(
    target: impl SyncTarget,
    observers: &Observers,
    request: SyncRequest<'_>,
) -> Result<SyncReport> {
    let (view, mode, keys) = request.summary();
    let work = async {
        let result = run_observed(target, observers, request).await;
        if let Err(error) = &result {
            telemetry::failed(view, mode, error);
        }
        result
    };
    telemetry::in_span(view, mode, keys, work).await
}

/// Runs a request with observers.
pub(super) async fn run_observed(
    target: impl SyncTarget,
    observers: &Observers,
    request: SyncRequest<'_>,
) -> Result<SyncReport> {
    let (view, mode, _) = request.summary();
    let watch = Watch::new(observers);
    let start = Instant::now();
    let result = target.run(request, &watch).await;
    // A batch that fails is reported with its keys. An error outside of a batch is reported here,
    // so that observers receive each error once.
    if let Err(error) = &result
        && !watch.has_reported()
    {
        let event = BatchEvent {
            entity: view.view.entity,
            view: view.view.table,
            mode,
            keys: &view.no_keys(),
            result: Err(error),
            duration: start.elapsed(),
            retries: 0,
        };
        watch.notify(&event);
        watch.log_failure(&event).await;
    }
    result
}
