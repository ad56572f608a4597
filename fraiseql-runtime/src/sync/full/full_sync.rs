//! A full sync, configured and awaited.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use crate::error::Result;
use crate::schema::position::Position;
use crate::sync::full::progress::Progress;
use crate::sync::full::settings::FullSyncSettings;
use crate::sync::report::SyncReport;
use crate::sync::request::SyncRequest;
use crate::sync::run;
use crate::sync::target::SyncTarget;
use crate::view::{Handle, ViewDef};

/// A full sync that has not started: `sync_all_posts(&pool)`. Awaiting it runs it.
///
/// It goes through the keys of the base table and of the view table in order, chunk by
/// chunk; on a pool each chunk is a transaction of its own, so readers and writers are
/// never blocked for long, and what is done stays done when it is stopped. Documents
/// whose row is gone are deleted.
///
/// ```no_run
/// # use fraiseql_runtime::TView;
/// # #[derive(TView)]
/// # struct Post { id: uuid::Uuid }
/// # async fn run(pool: &sqlx::PgPool, shutdown: tokio::sync::oneshot::Receiver<()>) -> fraiseql_runtime::Result<()> {
/// let report = sync_all_posts(pool)
///     .connections(2)
///     .on_progress(|progress| println!("{progress}")) // 1500 of 10000, 11000 a second, 800ms left
///     .until(async { drop(shutdown.await) })
///     .await?;
/// if let Some(position) = report.stopped_at {
///     // Later, perhaps in another process: a position can be stored by serde.
///     sync_all_posts(pool).resume(position).await?;
/// }
/// # Ok(()) }
/// # fn main() {}
/// ```
#[must_use = "a full sync does nothing until it is awaited"]
pub struct FullSync<'a, T> {
    target: T,
    view: Handle,
    settings: FullSyncSettings<'a>,
}

impl<T> fmt::Debug for FullSync<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FullSync")
            .field("view", &self.view.view.entity)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A full sync of the view `V` on `target`. This is what `sync_all_posts` calls.
pub fn sync_all<'a, V: ViewDef, T: SyncTarget>(target: T) -> FullSync<'a, T> {
    FullSync {
        target,
        view: V::handle(),
        settings: FullSyncSettings::new(),
    }
}

impl<'a, T> FullSync<'a, T> {
    /// Sets the number of documents that each transaction writes, at least 1. By default it is
    /// chosen so that they have about 1.5 MB, and is at most 1,000.
    pub fn chunk(mut self, documents: usize) -> Self {
        self.settings.chunk = Some(documents.max(1));
        self
    }

    /// Sets the number of pool connections that work at the same time: 1 by default, and at most
    /// the number that the pool may have. Two are nearly twice as fast if the server has two cores
    /// to spare. In a transaction there is one.
    pub fn connections(mut self, connections: usize) -> Self {
        self.settings.connections = connections.max(1);
        self
    }

    /// Resumes after a position, instead of starting at the first key.
    pub fn resume(mut self, position: Position) -> Self {
        self.settings.after = Some(position);
        self
    }

    /// Stops before the next chunk once `stop` is ready. The report then has the position, in
    /// [`SyncReport::stopped_at`].
    ///
    /// Dropping the future stops at once, and is safe too: on a pool, a chunk is written
    /// whole or not at all.
    pub fn until(mut self, stop: impl Future<Output = ()> + Send + 'a) -> Self {
        self.settings.until = Some(Box::pin(stop));
        self
    }

    /// Calls `progress` after each chunk.
    pub fn on_progress(mut self, progress: impl FnMut(&Progress) + Send + 'a) -> Self {
        self.settings.on_progress = Some(Box::new(progress));
        self
    }
}

impl<'a, T: SyncTarget + 'a> IntoFuture for FullSync<'a, T> {
    type Output = Result<SyncReport>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let request = SyncRequest::Full {
            view: self.view,
            settings: self.settings,
        };
        Box::pin(run::run(self.target, request))
    }
}
