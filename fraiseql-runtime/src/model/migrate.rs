//! `ReadModel::migrate`: creates the view tables of a read model.

use sqlx::{Acquire, PgPool, Postgres};

use crate::error::{Error, Operation, Result};
use crate::model::ReadModel;
use crate::ops::migrate::{self, Migration};

impl ReadModel {
    /// Creates the view tables, their promoted columns, their indexes and their partitions,
    /// where they are missing. Does nothing, and locks no table, where nothing is missing;
    /// several instances may start at once. Says what it created, and what is left over:
    /// columns and indexes that no attribute asks for any more, and what differs from its
    /// attribute. It never drops, rewrites or rebuilds anything.
    ///
    /// A promoted column that is added to a table with documents is null until they are
    /// synced again. Where a struct has changed, its view is listed in [`Migration::stale`], and
    /// [`rebuild`](Self::rebuild) makes its documents anew.
    ///
    /// **On a big table**, of 10,000 documents or 8 MB and more, indexes are created
    /// `CONCURRENTLY`, after the rest is committed, one at a time: syncs go on meanwhile. What a
    /// failed attempt has left of one is dropped first. Where another instance is at it, they
    /// are left to that one, and listed in [`Migration::left_over`]. In a transaction of yours
    /// that cannot be: there they are created as they are on a small table, and block syncs
    /// while that lasts. So they do on a partitioned table; create them before the deployment:
    /// `CREATE INDEX .. ON ONLY` the table, by the statement in
    /// [`migration_plan`](Self::migration_plan), `CREATE INDEX CONCURRENTLY` on each partition,
    /// `ALTER INDEX .. ATTACH PARTITION` for each. `migrate` finds an index by its name.
    ///
    /// ```
    /// use fraiseql_runtime::{ReadModel, TView};
    ///
    /// #[derive(TView)]
    /// #[tview(index(on = "author_id, created_at DESC"))]
    /// struct Post {
    ///     id: i64,
    ///     #[tview(filter)]
    ///     author_id: i64,
    ///     #[tview(sort)]
    ///     created_at: chrono::DateTime<chrono::Utc>,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = dev_postgres::Server::shared()?;
    /// # let pool = sqlx::PgPool::connect_with(server.create_database().await?).await?;
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// let migration = blog.migrate(&pool).await?;
    /// assert_eq!(migration.created[0], r#"table "public"."tv_post""#);
    /// for left in &migration.left_over {
    ///     println!("{left}");
    /// }
    /// # sqlx::raw_sql("CREATE INDEX old_idx ON tv_post (created_at)").execute(&pool).await?;
    /// # let left = &blog.migrate(&pool).await?.left_over;
    /// # assert_eq!(left[0].remedy, r#"DROP INDEX "public"."old_idx""#);
    /// # pool.close().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the database refuses a statement, or a table of the view table's name was made for
    /// something else. Then nothing was changed; but where it was an index of a big table that
    /// could not be created, all before it stays.
    pub async fn migrate<'a>(
        &self,
        database: impl Acquire<'a, Database = Postgres>,
    ) -> Result<Migration> {
        let mut connection = database
            .acquire()
            .await
            .map_err(Error::database(Operation::Migrate))?;
        let log = self.context.observers.log.as_ref();
        migrate::migrate(&self.views, log, &mut connection).await
    }

    /// The statements that [`migrate`](Self::migrate) would run now, in their order, without
    /// running them: for teams whose migrations are files. None where nothing is missing.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate).
    pub async fn migration_plan(&self, pool: &PgPool) -> Result<Vec<String>> {
        let log = self.context.observers.log.as_ref();
        migrate::migration_plan(&self.views, log, pool).await
    }
}
