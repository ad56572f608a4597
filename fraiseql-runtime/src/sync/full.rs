//! Syncing a whole view.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Instant;

use crate::error::{Error, Result};
use crate::key::Keys;
use crate::sync::Request;
use crate::sync::report::SyncReport;
use crate::sync::target::{BATCH, Session, SyncTarget};
use crate::view::{Handle, TView};

/// Called after each chunk of a full sync.
pub type OnProgress<'a> = Box<dyn FnMut(&Progress) + Send + 'a>;

/// How far a full sync has come.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// What was done so far.
    pub report: SyncReport,
    /// How many chunks that took.
    pub chunks: u64,
}

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
/// # async fn run(pool: &sqlx::PgPool) -> fraiseql_runtime::Result<()> {
/// let report = sync_all_posts(pool)
///     .chunk(500)
///     .on_progress(|progress| println!("{} documents", progress.report.total()))
///     .await?;
/// # Ok(()) }
/// # fn main() {}
/// ```
#[must_use = "a full sync does nothing until it is awaited"]
pub struct FullSync<'a, T> {
    target: T,
    view: Handle,
    chunk: usize,
    progress: Option<OnProgress<'a>>,
}

impl<T> std::fmt::Debug for FullSync<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FullSync")
            .field("view", &self.view.view.entity)
            .field("chunk", &self.chunk)
            .finish_non_exhaustive()
    }
}

/// A full sync of the view `V` on `target`. This is what `sync_all_posts` calls.
pub fn sync_all<'a, V: TView, T: SyncTarget>(target: T) -> FullSync<'a, T> {
    FullSync {
        target,
        view: V::handle(),
        chunk: BATCH,
        progress: None,
    }
}

impl<'a, T> FullSync<'a, T> {
    /// How many documents each transaction writes: 500 unless told, at least 1.
    pub fn chunk(mut self, documents: usize) -> Self {
        self.chunk = documents.max(1);
        self
    }

    /// Calls `progress` after each chunk.
    pub fn on_progress(mut self, progress: impl FnMut(&Progress) + Send + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }
}

impl<'a, T: SyncTarget + 'a> IntoFuture for FullSync<'a, T> {
    type Output = Result<SyncReport>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.target.run(Request::Full {
            view: self.view,
            chunk: self.chunk,
            progress: self.progress,
        }))
    }
}

pub(crate) async fn run(
    session: &mut Session<'_>,
    view: Handle,
    chunk: usize,
    mut on_progress: Option<OnProgress<'_>>,
) -> Result<SyncReport> {
    let start = Instant::now();
    let mut progress = Progress {
        report: SyncReport::default(),
        chunks: 0,
    };
    let mut keys = next_keys(session, view, view.no_keys(), chunk).await?;
    while !keys.is_empty() {
        progress.report += session.batch(view, &keys).await?;
        progress.report.duration = start.elapsed();
        progress.chunks += 1;
        if let Some(on_progress) = &mut on_progress {
            on_progress(&progress);
        }
        if keys.len() < chunk {
            break;
        }
        keys = next_keys(session, view, keys.last(), chunk).await?;
    }
    Ok(progress.report)
}

async fn next_keys(
    session: &mut Session<'_>,
    view: Handle,
    after: Keys,
    chunk: usize,
) -> Result<Keys> {
    let sql = &view.statements().sync;
    let limit = i64::try_from(chunk).unwrap_or(i64::MAX);
    let query = if after.is_empty() {
        sqlx::query(sql.first_keys.as_str())
    } else {
        after.bind(sqlx::query(sql.next_keys.as_str()))
    };
    query
        .bind(limit)
        .fetch_one(session.connection())
        .await
        .and_then(|row| after.read(&row, 0))
        .map_err(Error::database(format!(
            "reading the keys of {}",
            view.view.shape.table
        )))
}
