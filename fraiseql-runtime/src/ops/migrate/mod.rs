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

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};

use self::plan::Plan;
use crate::error::{Error, Operation, Result};
use crate::schema::Table;
use crate::sql::ddl::catalog::HAS_LZ4;
use crate::sync::log::SyncLog;
use crate::view::Handle;

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

/// Creates what is missing, one instance at a time.
pub(crate) async fn migrate(
    views: &[Handle],
    log: Option<&SyncLog>,
    connection: &mut PgConnection,
) -> Result<Migration> {
    let failed = || Error::database(Operation::Migrate);
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
    } = plan(views, log, &mut transaction, defers).await?;
    let mut created = Vec::with_capacity(steps.len());
    for step in steps {
        for sql in step.sql {
            transaction
                .execute(AssertSqlSafe(sql))
                .await
                .map_err(Error::database(Operation::Create(step.what.clone())))?;
        }
        if !step.is_note {
            created.push(step.what);
        }
    }
    transaction.commit().await.map_err(failed())?;
    concurrent::create(connection, later, &mut created, &mut left_over).await?;
    Ok(Migration {
        created,
        left_over,
        stale,
    })
}

/// The statements that `migrate` would run now.
pub(crate) async fn migration_plan(
    views: &[Handle],
    log: Option<&SyncLog>,
    pool: &PgPool,
) -> Result<Vec<String>> {
    let failed = || Error::database(Operation::PlanMigration);
    let mut transaction = pool.begin().await.map_err(failed())?;
    let plan = plan(views, log, &mut transaction, false).await?;
    transaction.rollback().await.map_err(failed())?;
    Ok(plan
        .steps
        .into_iter()
        .flat_map(|step| step.sql)
        .map(|sql| sql.to_string())
        .collect())
}

async fn plan(
    views: &[Handle],
    log: Option<&SyncLog>,
    connection: &mut PgConnection,
    defers: bool,
) -> Result<Plan> {
    let lz4: Option<bool> = sqlx::query_scalar(HAS_LZ4)
        .fetch_optional(&mut *connection)
        .await
        .map_err(Error::database(Operation::Inspect("the server".to_owned())))?;
    let mut plan = Plan {
        defers,
        ..Plan::default()
    };
    for view in views {
        plan.view(connection, *view, lz4 == Some(true)).await?;
    }
    if let Some(log) = log {
        plan.log(connection, log).await?;
    }
    plan.rebuilds(connection, views).await?;
    Ok(plan)
}
