//! Rebuilding documents after a struct has changed, while they are read and written: here
//! what a rebuild is told, in [`report`] and [`status`] what it tells, in `run` the work.

pub mod report;
mod run;
pub mod status;

pub use self::report::{RebuildOutcome, RebuildReport, ViewRebuild};
pub use self::status::{RebuildState, RebuildStatus};

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Instant;

use sqlx::PgPool;

use self::run::View;
use crate::error::Result;
use crate::schema::Table;
use crate::sync::full::progress::Progress;
use crate::sync::watch::Observers;
use crate::view::Handle;

type OnProgress<'a> = Box<dyn FnMut(Table, &Progress) + Send + 'a>;

/// A rebuild that has not started: [`ReadModel::rebuild`](crate::ReadModel::rebuild). Awaiting it runs it.
#[must_use = "a rebuild does nothing until it is awaited"]
pub struct Rebuild<'a> {
    views: &'a [Handle],
    observers: &'a Observers,
    pool: &'a PgPool,
    chunk: Option<usize>,
    connections: usize,
    until: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
    progress: Option<OnProgress<'a>>,
}

impl std::fmt::Debug for Rebuild<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rebuild")
            .field("chunk", &self.chunk)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

impl<'a> Rebuild<'a> {
    pub(crate) fn new(views: &'a [Handle], observers: &'a Observers, pool: &'a PgPool) -> Self {
        Self {
            views,
            observers,
            pool,
            chunk: None,
            connections: 1,
            until: None,
            progress: None,
        }
    }

    /// How many documents each transaction writes; at least 1. Unless told, as many as make
    /// about 1.5 MB, and 1,000 at most.
    pub fn chunk(mut self, documents: usize) -> Self {
        self.chunk = Some(documents.max(1));
        self
    }

    /// How many connections of the pool work at once: 1 unless told, and never more than the
    /// pool may have.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Calls `progress` after each chunk, with the view table.
    pub fn on_progress(mut self, progress: impl FnMut(Table, &Progress) + Send + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Stops before the next chunk once `stop` is ready. The next rebuild goes on from there.
    ///
    /// Dropping the future stops at once, and is safe too.
    pub fn until(mut self, stop: impl Future<Output = ()> + Send + 'a) -> Self {
        self.until = Some(Box::pin(stop));
        self
    }

    async fn run(mut self) -> Result<RebuildReport> {
        let start = Instant::now();
        let mut report = RebuildReport::default();
        for view in self.views {
            let view = View {
                pool: self.pool,
                view: *view,
                observers: self.observers,
                chunk: self.chunk,
                connections: self.connections,
            };
            let done = view.rebuild(&mut self.until, &mut self.progress).await?;
            let stopped = done.outcome == RebuildOutcome::Stopped;
            report.views.push(done);
            if stopped {
                let left = self.views.iter().skip(report.views.len());
                report.views.extend(left.map(|view| ViewRebuild {
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
