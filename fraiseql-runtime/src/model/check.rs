//! `ReadModel::check`: compares the structs with a database.

use sqlx::{Acquire, Postgres};

use crate::error::check_report::CheckReport;
use crate::error::{Error, Operation, Result};
use crate::model::read_model::ReadModel;
use crate::ops::check;

impl ReadModel {
    /// Compares the structs with the database, and reports all problems at once: missing tables and
    /// columns, types and nulls that a field cannot hold, keys that are not unique, lookups without
    /// an index, SQL that the server refuses, missing privileges, missing functions and triggers, changes that
    /// triggers cannot capture, limits of the server, and views that
    /// are not filled. Each problem is one finding, with its remedy.
    ///
    /// Use it in a test, in CI or at start-up. It reads the catalog and prepares the statements in a
    /// read-only transaction that is rolled back: it changes nothing, and reads no values of rows, only
    /// whether there are any. It checks the privileges of the connected role, which should be the role that syncs.
    ///
    /// ```
    /// # use fraiseql_runtime::{ReadModel, TView};
    /// # use fraiseql_runtime::check::FindingKind;
    /// #[derive(TView)]
    /// pub struct Post {
    ///     pub id: i64,
    ///     pub title: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = dev_postgres::Server::shared()?;
    /// # let pool = sqlx::PgPool::connect_with(server.create_database().await?).await?;
    /// sqlx::raw_sql("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text)")
    ///     .execute(&pool)
    ///     .await?;
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// blog.migrate(&pool).await?;
    ///
    /// let report = blog.check(&pool).await?;
    /// # let report = report.accept(|finding| finding.kind == FindingKind::NoLz4);
    /// assert!(!report.is_ok());
    /// let finding = &report.findings()[0];
    /// assert_eq!(finding.kind, FindingKind::Nullable);
    /// assert_eq!(finding.path, "Post.title");
    /// assert_eq!(
    ///     report.to_string(),
    ///     "check: 1 error, 0 warnings
    ///
    /// Post (public.tv_post)
    ///   error: Post.title: tb_post.title can be null, and the field is not an Option: a document \
    /// with a null there cannot be read
    ///     remedy: write `Option<String>`
    ///         or: ALTER TABLE \"public\".\"tb_post\" ALTER COLUMN \"title\" SET NOT NULL;"
    /// );
    /// # pool.close().await;
    /// # Ok(()) }
    /// ```
    ///
    /// At start-up, `blog.check(&pool).await?.into_result()?` returns all errors that were found as
    /// one [`Error::Check`].
    ///
    /// # Errors
    /// If a query of the check fails. Findings are not errors; they are in the report.
    pub async fn check<'a>(
        &self,
        database: impl Acquire<'a, Database = Postgres>,
    ) -> Result<CheckReport> {
        let mut connection = database
            .acquire()
            .await
            .map_err(Error::database(Operation::Check))?;
        let log = self.context.observers.log.as_ref();
        let model = self.objects();
        check::run(
            &self.views,
            model.as_ref(),
            &self.base_tables(),
            log,
            &mut connection,
        )
        .await
    }
}
