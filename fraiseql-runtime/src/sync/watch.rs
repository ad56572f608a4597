//! Notifies the observers of a call, and writes its batches to the log.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use sqlx::PgConnection;

use crate::db::scope::TransactionScope;
use crate::error::Result;
use crate::schema::key::Keys;
use crate::sync::event::{BatchEvent, SyncObserver};
use crate::sync::log::SyncLog;
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;
use crate::sync::telemetry;
use crate::view::Handle;

/// The observers and the log of a read model.
#[derive(Clone, Default)]
pub(crate) struct Observers {
    pub(crate) list: Vec<Arc<dyn SyncObserver>>,
    pub(crate) log: Option<SyncLog>,
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers")
            .field("list", &self.list.len())
            .field("log", &self.log)
            .finish()
    }
}

/// The observers of one call, and whether they have received its error.
#[derive(Debug)]
pub struct Watch<'a> {
    observers: &'a Observers,
    /// Whether the observers have received an error. The call then ends with it.
    reported: AtomicBool,
}

/// No observers and no log.
pub(crate) static NO_OBSERVERS: Observers = Observers {
    list: Vec::new(),
    log: None,
};

impl<'a> Watch<'a> {
    pub(crate) fn new(observers: &'a Observers) -> Self {
        Self {
            observers,
            reported: AtomicBool::new(false),
        }
    }

    /// Whether the observers have received the error that the call ends with.
    pub(super) fn has_reported(&self) -> bool {
        self.reported.load(Ordering::Relaxed)
    }

    /// Calls the observers with an event.
    pub(super) fn notify(&self, event: &BatchEvent<'_>) {
        if event.result.is_err() {
            self.reported.store(true, Ordering::Relaxed);
        }
        for observer in &self.observers.list {
            observer.batch(event);
        }
    }

    /// Logs a batch, if there is a log.
    pub(super) async fn log(
        &self,
        event: &BatchEvent<'_>,
        connection: &mut PgConnection,
        scope: TransactionScope,
    ) {
        match (&self.observers.log, event.result) {
            // On the same connection: in the caller's transaction the row must become visible with
            // the documents.
            (Some(log), Ok(report)) => {
                self.report_log_error(log.success(event, report, connection, scope).await);
            }
            // On another connection: here the row would be rolled back with the batch.
            (Some(_), Err(_)) => self.log_failure(event).await,
            (None, _) => {}
        }
    }

    /// Logs batches that were written in the caller's transaction, if there is a log.
    pub(super) async fn log_successes(
        &self,
        events: &[(BatchEvent<'_>, &SyncReport)],
        connection: &mut PgConnection,
    ) {
        if let Some(log) = &self.observers.log {
            self.report_log_error(log.successes(events, connection).await);
        }
    }

    /// Logs a batch that failed, if there is a log.
    pub(super) async fn log_failure(&self, event: &BatchEvent<'_>) {
        if let Some(log) = &self.observers.log {
            self.report_log_error(log.failure(event).await);
        }
    }

    /// Reports an error of the log. It does not fail the sync.
    fn report_log_error(&self, result: Result<()>) {
        if let Err(error) = result {
            telemetry::log_failed(&error);
            for observer in &self.observers.list {
                observer.log_failed(&error);
            }
        }
    }
}

/// A batch that is being written.
#[derive(Debug)]
pub(crate) struct StartedBatch<'a> {
    watch: &'a Watch<'a>,
    view: Handle,
    mode: Mode,
    keys: &'a Keys,
    start: Instant,
}

impl<'a> StartedBatch<'a> {
    /// Starts the clock of a batch.
    pub(crate) fn now(watch: &'a Watch<'_>, view: Handle, mode: Mode, keys: &'a Keys) -> Self {
        Self {
            watch,
            view,
            mode,
            keys,
            start: Instant::now(),
        }
    }

    /// Ends the batch: traces and counts it, calls the observers, and writes a row of the log.
    pub(crate) async fn end(
        self,
        result: Result<SyncReport>,
        retries: u32,
        connection: &mut PgConnection,
        scope: TransactionScope,
    ) -> Result<SyncReport> {
        let watch = self.watch;
        let result = self.timed(result);
        let event = self.event(&result, retries);
        telemetry::batch(&event);
        watch.notify(&event);
        watch.log(&event, connection, scope).await;
        result
    }

    /// Ends a batch on a target without a database, whose batches are not logged.
    pub(crate) fn end_unlogged(self, result: Result<SyncReport>) -> Result<SyncReport> {
        let result = self.timed(result);
        let event = self.event(&result, 0);
        telemetry::batch(&event);
        self.watch.notify(&event);
        result
    }

    /// Sets the duration of the report.
    fn timed(&self, mut result: Result<SyncReport>) -> Result<SyncReport> {
        if let Ok(report) = &mut result {
            report.duration = self.start.elapsed();
        }
        result
    }

    fn event<'e>(&self, result: &'e Result<SyncReport>, retries: u32) -> BatchEvent<'e>
    where
        'a: 'e,
    {
        BatchEvent {
            entity: self.view.view.entity,
            view: self.view.view.table,
            mode: self.mode,
            keys: self.keys,
            result: result.as_ref(),
            duration: match result {
                Ok(report) => report.duration,
                Err(_) => self.start.elapsed(),
            },
            retries,
        }
    }
}
