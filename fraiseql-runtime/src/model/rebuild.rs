//! `ReadModel::rebuild`: builds stale and missing documents.

use sqlx::PgPool;

use crate::error::Result;
use crate::model::read_model::ReadModel;
use crate::ops::rebuild::status::RebuildStatus;
use crate::ops::rebuild::{self, Rebuild};

impl ReadModel {
    /// Builds stale documents again, which were built for another shape of their struct: after a
    /// field was added, renamed or removed, or its source was changed, at any depth. It also builds the
    /// documents of a view that was not filled: one that is new over rows that exist, or whose table was
    /// emptied.
    ///
    /// It processes the views with stale or missing documents chunk by chunk, as a full sync does: readers and
    /// writers are not blocked, and no newer document is overwritten. Until a document is rebuilt,
    /// [`find`](crate::TView::find) builds it when it is read. A view that was rebuilt before is
    /// searched for documents that an older release has written since, and for rows that it has inserted
    /// without a document.
    ///
    /// The progress is in the table `fraiseql_view`, in the schema of the view table, which
    /// [`migrate`](Self::migrate) creates. [`rebuild_status`](Self::rebuild_status) reads it, and a
    /// rebuild that was interrupted, by the end of its process or of its connection, resumes there.
    /// If several instances rebuild, one of them processes a view, and the others skip it, and report
    /// that. A connection of its own holds the lock for that, in a transaction that is idle. A pool of
    /// one connection has none for it: such a rebuild skips what another one processes, but others do
    /// not skip what it processes. Then both build the same documents.
    ///
    /// Its batches are reported to the [sync log](crate::model::ReadModelBuilder::sync_log) and to
    /// the [observers](crate::model::ReadModelBuilder::observe).
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
    /// If the database refuses a statement. Documents that were rebuilt before stay. A lost
    /// connection is replaced a few times before it is an error.
    pub fn rebuild<'a>(&'a self, pool: &'a PgPool) -> Rebuild<'a> {
        Rebuild::new(&self.synced, &self.context.observers, pool)
    }

    /// The state of each view: whether a rebuild for this shape is done, and the progress of one that
    /// is running, in this or another process. It is cheap: it reads no documents, and counts nothing.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # pub struct Post { pub id: i64, pub title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// let status = &blog.rebuild_status(&pool).await?[0];
    /// assert_eq!(status.state, RebuildState::Done); // there is no row yet
    /// println!("{status}"); // "public"."tv_post": done
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// If a query fails, or the database was not migrated.
    pub async fn rebuild_status(&self, pool: &PgPool) -> Result<Vec<RebuildStatus>> {
        rebuild::status::all(&self.synced, pool).await
    }
}
