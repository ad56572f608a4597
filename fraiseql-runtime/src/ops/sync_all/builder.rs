//! A full sync of all views as a builder: options, then `.await`.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Instant;

use sqlx::PgPool;

use crate::error::Result;
use crate::ops::run_options::{RunOptions, stop_of};
use crate::ops::sync_all::report::{SyncAllReport, ViewSync};
use crate::schema::Table;
use crate::sync::full::progress::{OnProgress, Progress};
use crate::sync::full::settings::FullSyncSettings;
use crate::sync::request::SyncRequest;
use crate::sync::run::run_observed_in_span;
use crate::sync::watch::Observers;
use crate::view::Handle;

/// A full sync of all views that has not started:
/// [`ReadModel::sync_all`](crate::ReadModel::sync_all). Awaiting it runs it.
#[must_use = "a full sync does nothing until it is awaited"]
pub struct SyncAll<'a> {
    views: &'a [Handle],
    observers: &'a Observers,
    pool: &'a PgPool,
    options: RunOptions<'a>,
}

impl fmt::Debug for SyncAll<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncAll")
            .field("chunk", &self.options.chunk)
            .field("connections", &self.options.connections)
            .finish_non_exhaustive()
    }
}

impl<'a> SyncAll<'a> {
    pub(crate) fn new(views: &'a [Handle], observers: &'a Observers, pool: &'a PgPool) -> Self {
        Self {
            views,
            observers,
            pool,
            options: RunOptions::default(),
        }
    }

    /// Sets how many documents each transaction writes; at least 1. By default as many as have
    /// about 1.5 MB, and at most 1,000.
    pub fn chunk(mut self, documents: usize) -> Self {
        self.options.set_chunk(documents);
        self
    }

    /// Sets how many connections of the pool work at the same time; at most the size of the pool.
    /// The default is 1.
    pub fn connections(mut self, connections: usize) -> Self {
        self.options.set_connections(connections);
        self
    }

    /// Calls `progress` after each chunk, with the view table.
    pub fn on_progress(mut self, progress: impl FnMut(Table, &Progress) + Send + 'a) -> Self {
        self.options.set_progress(progress);
        self
    }

    /// Stops before the next chunk when `stop` is ready. What was written stays.
    ///
    /// Dropping the future of the full sync stops it at once, which is safe, too.
    pub fn until(mut self, stop: impl Future<Output = ()> + Send + 'a) -> Self {
        self.options.set_until(stop);
        self
    }

    async fn run(self) -> Result<SyncAllReport> {
        let Self {
            views,
            observers,
            pool,
            options,
        } = self;
        let RunOptions {
            chunk,
            connections,
            mut until,
            mut progress,
        } = options;
        let start = Instant::now();
        let mut all = SyncAllReport::default();
        for handle in views {
            let view = handle.view.table;
            let settings = FullSyncSettings::of_view(
                chunk,
                connections,
                stop_of(&mut until),
                // Without a caller who wants it, the number of rows is not looked up.
                progress.as_mut().map(|progress| {
                    Box::new(move |now: &Progress| progress(view, now)) as OnProgress<'_>
                }),
            );
            let request = SyncRequest::Full {
                view: *handle,
                settings,
            };
            let report = run_observed_in_span(pool, observers, request).await?;
            all.is_stopped = report.stopped_at.is_some();
            all.views.push(ViewSync { view, report });
            if all.is_stopped {
                break;
            }
        }
        all.duration = start.elapsed();
        Ok(all)
    }
}

impl<'a> IntoFuture for SyncAll<'a> {
    type Output = Result<SyncAllReport>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
