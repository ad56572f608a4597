//! Entry points: a request runs on its target, in a span, with its observers.

use std::time::Instant;

use crate::error::Result;
use crate::sync::event::BatchEvent;
use crate::sync::report::SyncReport;
use crate::sync::request::Request;
use crate::sync::target::SyncTarget;
use crate::sync::telemetry;
use crate::sync::watch::{NOBODY, Observers, Watch};

/// Runs a request on its target, in a span of its own. Every call comes through here.
pub(crate) async fn run(target: impl SyncTarget, request: Request<'_>) -> Result<SyncReport> {
    let (view, mode, keys) = request.summary();
    let watch = Watch::new(&NOBODY);
    let work = async {
        let result = target.run(request, &watch).await;
        if let Err(error) = &result {
            telemetry::failed(view, mode, error);
        }
        result
    };
    telemetry::in_span(view, mode, keys, work).await
}

/// Both: in a span, and watched.
pub(crate) async fn run_observed_in_span(
    target: impl SyncTarget,
    observers: &Observers,
    request: Request<'_>,
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

/// Runs a request on a target that is watched.
pub(crate) async fn run_observed(
    target: impl SyncTarget,
    observers: &Observers,
    request: Request<'_>,
) -> Result<SyncReport> {
    let (view, mode, _) = request.summary();
    let watch = Watch::new(observers);
    let start = Instant::now();
    let result = target.run(request, &watch).await;
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
