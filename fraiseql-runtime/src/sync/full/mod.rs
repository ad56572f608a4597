//! Syncing a whole view: here what it is told, in [`progress`] what it tells, in `run` the
//! work, on the keys that `keys` finds.

mod keys;
pub mod progress;
mod workers;

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use self::progress::{OnProgress, Progress};
use crate::error::Result;
use crate::schema::position::Position;
use crate::sync::report::SyncReport;
use crate::sync::run;
use crate::sync::target::SyncTarget;
use crate::view::ViewDef;

use crate::sync::request::Request;
use crate::view::Handle;

pub(crate) use self::workers::{beside, chunk_size, on_connection, on_pool};

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
    settings: Settings<'a>,
}

/// What a full sync was told.
pub struct Settings<'a> {
    chunk: Option<usize>,
    connections: usize,
    after: Option<Position>,
    until: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
    progress: Option<OnProgress<'a>>,
    rebuild: Option<Pass>,
}

/// What a rebuild goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Every key there is. How far it has come is noted after each chunk; so many documents
    /// were done before.
    Whole {
        /// By whom it goes on from.
        done: u64,
    },
    /// Documents of another shape.
    Others,
}

impl<'a> Settings<'a> {
    fn new() -> Self {
        Self {
            chunk: None,
            connections: 1,
            after: None,
            until: None,
            progress: None,
            rebuild: None,
        }
    }

    /// Those of a rebuild.
    pub(crate) fn of_rebuild(
        pass: Pass,
        after: Option<Position>,
        chunk: Option<usize>,
        connections: usize,
        until: impl Future<Output = ()> + Send + 'a,
        progress: impl FnMut(&Progress) + Send + 'a,
    ) -> Self {
        Self {
            chunk,
            connections,
            after,
            until: Some(Box::pin(until)),
            progress: Some(Box::new(progress)),
            rebuild: Some(pass),
        }
    }
}

impl std::fmt::Debug for Settings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("chunk", &self.chunk)
            .field("connections", &self.connections)
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}

impl<T> std::fmt::Debug for FullSync<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
        settings: Settings::new(),
    }
}

impl<'a, T> FullSync<'a, T> {
    /// How many documents each transaction writes; at least 1. Unless told, as many as make
    /// about 1.5 MB, and 1,000 at most.
    pub fn chunk(mut self, documents: usize) -> Self {
        self.settings.chunk = Some(documents.max(1));
        self
    }

    /// How many connections of a pool work at once: 1 unless told, and never more than the
    /// pool may have. Two are nearly twice as fast where the server has two cores to spare.
    /// In a transaction there is one.
    pub fn connections(mut self, connections: usize) -> Self {
        self.settings.connections = connections.max(1);
        self
    }

    /// Goes on behind a position, instead of starting at the first key.
    pub fn resume(mut self, position: Position) -> Self {
        self.settings.after = Some(position);
        self
    }

    /// Stops before the next chunk once `stop` is ready. The report then says where, in
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
        self.settings.progress = Some(Box::new(progress));
        self
    }
}

impl<'a, T: SyncTarget + 'a> IntoFuture for FullSync<'a, T> {
    type Output = Result<SyncReport>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let request = Request::Full {
            view: self.view,
            settings: self.settings,
        };
        Box::pin(run::run(self.target, request))
    }
}
