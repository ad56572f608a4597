//! `ReadModel::rebuild`: makes stale documents anew.

use sqlx::PgPool;

use crate::error::Result;
use crate::model::ReadModel;
use crate::ops::rebuild::status::RebuildStatus;
use crate::ops::rebuild::{self, Rebuild};

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
    /// The [log](crate::model::ReadModelBuilder::sync_log) and the
    /// [observers](crate::model::ReadModelBuilder::observe) are told of its batches.
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
        Rebuild::new(&self.views, &self.context.observers, pool)
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
        rebuild::status::all(&self.views, pool).await
    }
}
