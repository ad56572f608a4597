//! Rebuilding documents after a struct has changed, while they are read and written: here
//! what a rebuild is told, in [`report`] and [`status`] what it tells, in `run` the work.

pub mod report;
mod run;
pub mod status;

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Instant;

use sqlx::PgPool;

use self::report::{RebuildOutcome, RebuildReport, ViewRebuild};
use self::run::View;
use self::status::RebuildStatus;
use crate::error::Result;
use crate::model::ReadModel;
use crate::schema::Table;
use crate::sync::full::progress::Progress;

type OnProgress<'a> = Box<dyn FnMut(Table, &Progress) + Send + 'a>;

/// A rebuild that has not started: [`ReadModel::rebuild`]. Awaiting it runs it.
#[must_use = "a rebuild does nothing until it is awaited"]
pub struct Rebuild<'a> {
    model: &'a ReadModel,
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

impl ReadModel {
    /// Rebuilds the documents that were made for another version of their struct: after a
    /// field was added, renamed or removed, or the source of one has changed, at any depth.
    ///
    /// It goes through the views that need it, chunk by chunk, as a full sync does: readers
    /// and writers are not blocked, and no newer document is overwritten. Until a document is
    /// rebuilt, [`find`](crate::TView::find) builds it when it is read. A view that was rebuilt
    /// before is only looked through for documents that an older release has written since.
    ///
    /// How far it has come is in the table `fraiseql_view` beside the view tables, which
    /// [`migrate`](Self::migrate) creates: [`rebuild_status`](Self::rebuild_status) tells it,
    /// and a rebuild that was interrupted, with its process or its connection, goes on from
    /// there. Of several instances, one rebuilds a view at a time, by an advisory lock of its
    /// session; the others skip it, and say so in the report. A connection of the pool is
    /// closed in the end, so that the lock cannot outlive it.
    ///
    /// The [log](crate::ReadModelBuilder::sync_log) and the
    /// [observers](crate::ReadModelBuilder::observe) are told of its batches.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # mod before {
    /// #     #[derive(fraiseql_runtime::TView)]
    /// #     pub struct Post { pub id: i64 }
    /// # }
    /// #[derive(TView)]
    /// pub struct Post {
    ///     pub id: i64,
    ///     pub title: String, // new
    /// }
    ///
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
    /// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
    /// # migrate::<before::Post>(&pool).await;
    /// # before::sync_all_posts(&pool).await?;
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// let migration = blog.migrate(&pool).await?;
    /// assert_eq!(migration.stale, [Post::VIEW.table]);
    ///
    /// let report = blog
    ///     .rebuild(&pool)
    ///     .connections(2)
    ///     .on_progress(|view, progress| println!("{view}: {progress}"))
    ///     .await?;
    /// assert!(report.is_complete());
    /// assert_eq!(report.views[0].report.updated, 1);
    /// println!("{report}"); // "public"."tv_post": rebuilt, 0 inserted, 1 updated, ..
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// When the database refuses a statement. What was done until then stays done. A lost
    /// connection is replaced a few times.
    pub fn rebuild<'a>(&'a self, pool: &'a PgPool) -> Rebuild<'a> {
        Rebuild {
            model: self,
            pool,
            chunk: None,
            connections: 1,
            until: None,
            progress: None,
        }
    }

    /// How each view stands: whether its documents are of this struct's shape, as far as rebuilds
    /// know, and how far a rebuild has come that runs, here or elsewhere. Cheap: it reads no
    /// documents.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # pub struct Post { pub id: i64, pub title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// let status = &blog.rebuild_status(&pool).await?[0];
    /// assert_eq!(status.state, RebuildState::Done); // there is no document yet
    /// println!("{status}"); // "public"."tv_post": done
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// When the database cannot be asked, or was not migrated.
    pub async fn rebuild_status(&self, pool: &PgPool) -> Result<Vec<RebuildStatus>> {
        let mut connection = run::acquire(pool).await?;
        let mut all = Vec::with_capacity(self.views.len());
        for view in self.handles() {
            all.push(status::read(&mut connection, view).await?.0);
        }
        Ok(all)
    }
}

impl<'a> Rebuild<'a> {
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
        for view in self.model.handles() {
            let view = View {
                pool: self.pool,
                view,
                watchers: &self.model.watchers,
                chunk: self.chunk,
                connections: self.connections,
            };
            let done = view.rebuild(&mut self.until, &mut self.progress).await?;
            let stopped = done.outcome == RebuildOutcome::Stopped;
            report.views.push(done);
            if stopped {
                let left = self.model.handles().skip(report.views.len());
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
