//! A rebuild as a builder: options, then `.await`.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Instant;

use sqlx::PgPool;

use crate::error::Result;
use crate::ops::rebuild::report::{RebuildOutcome, RebuildReport, ViewRebuild};
use crate::ops::rebuild::run::RebuildTask;
use crate::ops::run_options::RunOptions;
use crate::schema::Table;
use crate::sync::full::progress::Progress;
use crate::sync::watch::Observers;
use crate::view::Handle;

/// A rebuild that has not started: [`ReadModel::rebuild`](crate::ReadModel::rebuild). Awaiting it
/// runs it.
#[must_use = "a rebuild does nothing until it is awaited"]
pub struct Rebuild<'a> {
    views: &'a [Handle],
    observers: &'a Observers,
    pool: &'a PgPool,
    options: RunOptions<'a>,
}

impl fmt::Debug for Rebuild<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rebuild")
            .field("chunk", &self.options.chunk)
            .field("connections", &self.options.connections)
            .finish_non_exhaustive()
    }
}

impl<'a> Rebuild<'a> {
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

    /// Stops before the next chunk when `stop` is ready. The next rebuild continues after the last
    /// chunk.
    ///
    /// Dropping the future of the rebuild stops it at once, which is safe, too.
    pub fn until(mut self, stop: impl Future<Output = ()> + Send + 'a) -> Self {
        self.options.set_until(stop);
        self
    }

    async fn run(mut self) -> Result<RebuildReport> {
        let start = Instant::now();
        let mut report = RebuildReport::default();
        for view in self.views {
            let task = RebuildTask {
                pool: self.pool,
                view: *view,
                observers: self.observers,
                chunk: self.options.chunk,
                connections: self.options.connections,
            };
            let rebuild = task
                .run(&mut self.options.until, &mut self.options.progress)
                .await?;
            let is_stopped = rebuild.outcome == RebuildOutcome::Stopped;
            report.views.push(rebuild);
            if is_stopped {
                // The report has an entry for each view, also for those that did not begin.
                let others = self.views.iter().skip(report.views.len());
                report.views.extend(others.map(|view| ViewRebuild {
                    outcome: RebuildOutcome::Stopped,
                    ..ViewRebuild::of(view.view.table)
                }));
                break;
            }
        }
        report.duration = start.elapsed();
        Ok(report)
    }
}

impl<'a> IntoFuture for Rebuild<'a> {
    type Output = Result<RebuildReport>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
