//! Setting up the database: creates what is missing, and says what is left over.
//!
//! First a plan is made of what there is and what the views ask for, then its steps are run.
//! Nothing is ever dropped or rewritten: what would need that is reported, with the statement
//! that a person may run.
//!
//! Whether an index is still the one that its attribute describes is told by its comment: it
//! has a hash of the statement that made it. An index without that comment, because it was
//! made by hand or by an older version, is compared with one that is created on an empty table
//! of the same columns and rolled back: PostgreSQL itself brings both into the same form.

pub(crate) mod bounds;
mod concurrent;
mod found;
mod plan;
mod stale;

use std::fmt;

use sqlx::{Acquire, AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Postgres};

use self::plan::Plan;
use crate::error::{Error, Result};
use crate::model::ReadModel;
use crate::schema::Table;
use crate::sql::ddl::catalog::HAS_LZ4;

/// What a migration did, and what it left to a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// What was created: `table "public"."tv_post"`, `index "public"."tv_post_title_idx"`.
    pub created: Vec<String>,
    /// What is there and is not, or not any more, what the views ask for.
    pub left_over: Vec<LeftOver>,
    /// The view tables with documents that were made for another version of their struct, as
    /// far as rebuilds know: [`ReadModel::rebuild`] makes them anew, while they are read.
    pub stale: Vec<Table>,
}

impl fmt::Display for Migration {
    /// One line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return f.write_str("nothing was missing");
        }
        let created = self.created.iter().map(|what| format!("created {what}"));
        let left_over = self.left_over.iter().map(|left| format!("left {left}"));
        let stale = self.stale.iter().map(|table| {
            format!(
                "stale {table}: its documents are of another shape than the struct; run \
                 ReadModel::rebuild"
            )
        });
        for (index, line) in created.chain(left_over).chain(stale).enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{line}")?;
        }
        Ok(())
    }
}

/// Something in the database that the views don't ask for, or ask for otherwise. It was not
/// touched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOver {
    /// What it is: `column "stars" of "public"."tv_post"`.
    pub what: String,
    /// What is wrong with it, and what the remedy costs.
    pub why: String,
    /// The statement that removes or repairs it, for a person to run. After a DROP of
    /// something that is still asked for, `migrate` creates it anew.
    pub remedy: String,
}

impl LeftOver {
    fn new(what: String, why: impl Into<String>, remedy: String) -> Self {
        Self {
            what,
            why: why.into(),
            remedy,
        }
    }
}

impl fmt::Display for LeftOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.what, self.why, self.remedy)
    }
}

/// What instances of an application take, so that one migrates at a time: "fraiseql".
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"fraiseql");

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
        let failed = || Error::database("migrating the view tables");
        let mut connection = database.acquire().await.map_err(failed())?;
        let defers = !connection.is_in_transaction();
        let mut transaction = Connection::begin(&mut *connection)
            .await
            .map_err(failed())?;
        sqlx::query("SELECT pg_catalog.pg_advisory_xact_lock($1)")
            .bind(MIGRATION_LOCK)
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        let Plan {
            steps,
            mut left_over,
            stale,
            later,
            ..
        } = self.plan(&mut transaction, defers).await?;
        let mut created = Vec::with_capacity(steps.len());
        for step in steps {
            for sql in step.sql {
                transaction
                    .execute(AssertSqlSafe(sql))
                    .await
                    .map_err(Error::database(format!("creating {}", step.what)))?;
            }
            if !step.is_note {
                created.push(step.what);
            }
        }
        transaction.commit().await.map_err(failed())?;
        concurrent::create(&mut connection, later, &mut created, &mut left_over).await?;
        Ok(Migration {
            created,
            left_over,
            stale,
        })
    }

    /// The statements that [`migrate`](Self::migrate) would run now, in their order, without
    /// running them: for teams whose migrations are files. None where nothing is missing.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate).
    pub async fn migration_plan(&self, pool: &PgPool) -> Result<Vec<String>> {
        let failed = || Error::database("planning the migration of the view tables");
        let mut transaction = pool.begin().await.map_err(failed())?;
        let plan = self.plan(&mut transaction, false).await?;
        transaction.rollback().await.map_err(failed())?;
        Ok(plan
            .steps
            .into_iter()
            .flat_map(|step| step.sql)
            .map(|sql| sql.to_string())
            .collect())
    }

    async fn plan(&self, connection: &mut PgConnection, defers: bool) -> Result<Plan> {
        let lz4: Option<bool> = sqlx::query_scalar(HAS_LZ4)
            .fetch_optional(&mut *connection)
            .await
            .map_err(Error::database("asking what the server can compress with"))?;
        let mut plan = Plan {
            defers,
            ..Plan::default()
        };
        for view in &self.views {
            plan.view(connection, *view, lz4 == Some(true)).await?;
        }
        if let Some(log) = &self.watchers.log {
            plan.log(connection, log).await?;
        }
        plan.rebuilds(connection, &self.views).await?;
        Ok(plan)
    }
}
