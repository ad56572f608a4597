//! `ReadModel::migrate`: creates the view tables of a read model.

use sqlx::PgPool;

use crate::error::Result;
use crate::model::read_model::ReadModel;
use crate::mutation::capture::Capture;
use crate::ops::migrate::{self, MigrateRequest, MigrateTarget, Migration, ModelObjects};

impl ReadModel {
    /// Creates missing view tables, promoted columns, indexes and partitions. If nothing is missing,
    /// it does nothing and locks no table; several instances may call it at once. It returns what
    /// it created, and the drift: columns and indexes without an attribute, and those that differ
    /// from their attribute. It never drops, rewrites or rebuilds anything.
    ///
    /// A promoted column that is added to a table with documents is null until they are synced
    /// again. If a struct has changed, its view is listed in [`Migration::stale`], and
    /// [`rebuild`](Self::rebuild) builds its documents again. A view that is new over rows that exist, or
    /// whose table was emptied, is listed in [`Migration::unfilled`], and `rebuild` fills it:
    ///
    /// ```no_run
    /// # async fn run(blog: fraiseql_runtime::ReadModel, pool: sqlx::PgPool) -> fraiseql_runtime::Result<()> {
    /// if blog.migrate(&pool).await?.needs_rebuild() {
    ///     blog.rebuild(&pool).await?;
    /// }
    /// # Ok(()) }
    /// # fn main() {}
    /// ```
    ///
    /// **On a large table**, of at least 10,000 documents or 8 MB, indexes are created
    /// `CONCURRENTLY`, one at a time, after the rest was committed: they do not block syncs. If a
    /// failed attempt left an invalid index, it is dropped first. If another instance is creating
    /// indexes, they are left to that instance, and listed in [`Migration::drift`].
    ///
    /// Another connection of the pool holds a lock meanwhile. On a pool of one connection, or a connection
    /// of the caller, the session holds it: behind a pooler in transaction mode, pass a pool of two.
    ///
    /// In a transaction of the caller, and on a partitioned table, `CONCURRENTLY` is impossible:
    /// indexes are created as on a small table, and block syncs until they are complete. On a
    /// partitioned table, create them before the deployment: `CREATE INDEX .. ON ONLY` the table, by
    /// the statement in [`migration_plan`](Self::migration_plan), then on each partition `CREATE
    /// INDEX CONCURRENTLY` and `ALTER INDEX .. ATTACH PARTITION`. `migrate` recognizes an index by
    /// its name.
    ///
    /// **Functions** that sync documents in one call are created and replaced, too. A role that may not create them
    /// goes on without, and [`Migration::drift`] has the statement that grants it.
    ///
    /// **With [`capture`](crate::model::ReadModelBuilder::capture)**, triggers are created on every base table, its partitions and
    /// the tables that inherit from it; run `migrate` again after a partition was added. CREATE TRIGGER waits for transactions
    /// that have written to a table, and makes others wait: each table has a transaction of its own, after the rest was
    /// committed, which waits for 1.5 seconds (`deadlock_timeout` and a half) and tries again, 30 times. Documents that were stale before are
    /// not captured: sync all afterwards. What older releases have left is in [`Migration::left_over`].
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
    /// for drift in &migration.drift {
    ///     println!("{drift}");
    /// }
    /// # sqlx::raw_sql("CREATE INDEX old_idx ON tv_post (created_at)").execute(&pool).await?;
    /// # let drift = &blog.migrate(&pool).await?.drift;
    /// # assert_eq!(drift[0].remedy, r#"DROP INDEX "public"."old_idx""#);
    /// # pool.close().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// If the database refuses a statement, or if a table with the name of a view table is not a view
    /// table. Then nothing was changed, with one exception: if an index of a large table or a trigger cannot be
    /// created, everything that was created before it stays. [`Error::CannotCapture`](crate::Error::CannotCapture) if changes are to be captured, and the
    /// role may not create functions or triggers.
    pub async fn migrate(&self, target: impl MigrateTarget) -> Result<Migration> {
        let model = self.objects();
        let request = MigrateRequest {
            views: &self.views,
            model: model.as_ref(),
            log: self.context.observers.log.as_ref(),
        };
        target.migrate(request).await
    }

    /// Returns the statements that [`migrate`](Self::migrate) would run now, in their order, without
    /// running them: for teams that keep migrations in files. Empty if nothing is missing.
    ///
    /// They create only what does not exist, so that a plan can be applied twice, and the plans of
    /// several read models to one database. `CREATE INDEX CONCURRENTLY`, which is in the plan for a
    /// large table, cannot run in a transaction: put it in a file of its own that begins with `--
    /// no-transaction`, if the files are for sqlx.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate).
    pub async fn migration_plan(&self, pool: &PgPool) -> Result<Vec<String>> {
        let log = self.context.observers.log.as_ref();
        let model = self.objects();
        migrate::migration_plan(&self.views, model.as_ref(), log, pool).await
    }

    /// What it has in the database beside its view tables. `None` without views.
    pub(super) fn objects(&self) -> Option<ModelObjects<'_>> {
        let model = self.context.functions()?;
        let capture = self.context.captured();
        let of_views = self.context.views.iter();
        let of_views = of_views.flat_map(|handle| handle.statements().functions.all());
        let at_commit = (self.context.capture == Capture::AtCommit).then_some(&model.at_commit);
        let of_tables = capture.into_iter().flat_map(|it| &it.tables);
        let feed = self.context.feed();
        let of_feed = feed.into_iter().flat_map(|it| &it.triggers);
        Some(ModelObjects {
            views: self
                .context
                .views
                .iter()
                .map(|handle| handle.view)
                .collect(),
            id: model.id,
            schema: model.schema,
            functions: of_views
                .chain(model.own())
                .chain(at_commit.map(|at_commit| &at_commit.function))
                .chain(of_tables.map(|table| &table.function))
                .chain(of_feed.map(|triggers| &triggers.function))
                .collect(),
            capture,
            feed,
            at_commit,
        })
    }
}
