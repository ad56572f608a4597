//! `ReadModel::sync_all`: syncs every document of every view.

use sqlx::PgPool;

use crate::model::read_model::ReadModel;
use crate::ops::sync_all::SyncAll;

impl ReadModel {
    /// Syncs every document of every view, in the order in which the views were added:
    /// `sync_all_posts` for each, reported to the observers and the sync log, as syncs
    /// [`on`](Self::on) the read model.
    ///
    /// Use it after rows were written by a program that does not sync: sample data, an import, a
    /// restored backup. It compares every document with its row, so it takes longer than
    /// [`rebuild`](Self::rebuild), which only processes what is missing or stale. Readers and
    /// writers are not blocked; see [`FullSync`](crate::sync::FullSync).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # pub struct Post { pub id: i64, pub title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
    /// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// # blog.migrate(&pool).await?;
    /// let report = blog
    ///     .sync_all(&pool)
    ///     .connections(2)
    ///     .on_progress(|view, progress| println!("{view}: {progress}"))
    ///     .await?;
    /// assert_eq!(report.of::<Post>().unwrap().inserted, 1);
    /// println!("{report}"); // "public"."tv_post": 1 inserted, ..
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// If the database refuses a statement. Documents that were synced before stay.
    pub fn sync_all<'a>(&'a self, pool: &'a PgPool) -> SyncAll<'a> {
        SyncAll::new(&self.synced, &self.context.observers, pool)
    }
}
