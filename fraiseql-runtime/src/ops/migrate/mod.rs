//! Migration: creates missing view tables, columns, indexes, bookkeeping tables, functions and triggers, and reports
//! what differs.
//!
//! A migration first makes a plan by comparing the catalog with the views, then runs its
//! steps. It never drops or rewrites anything: such a repair is reported as [`Drift`], with the
//! statement that an operator can run.
//!
//! An index is recognized by its comment, which contains a hash of the statement that created it.
//! An index without that comment was created by hand or by an older version. It is compared with
//! one that is created on an empty table of the same columns and rolled back, so that PostgreSQL
//! itself normalizes both definitions.
//!
//! `views` plans one view after the other: `columns`, `indexes` and `storage` compare an existing
//! table, from the rows that `catalog_rows` reads. `partition_bounds` compares the order of
//! partitions with the database's collation. `bookkeeping` plans the tables of rebuilds.
//! `functions` plans functions, `capture` the change table and triggers, and `left_over` reports those of other releases.
//! `base_tables` creates the triggers after the transaction, `concurrent` the indexes of large tables.

mod base_tables;
mod bookkeeping;
pub(crate) mod capture;
mod catalog_rows;
mod columns;
mod concurrent;
pub(crate) mod functions;
mod indexes;
mod left_over;
mod migration;
pub(crate) mod partition_bounds;
mod plan;
mod storage;
mod view_plan;
mod views;

pub use self::migration::{Drift, Migration};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Row as _};

use self::plan::{DeferredIndex, MigrationPlan, Step, StepKind};
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::schema::View;
use crate::sql::capture::CaptureSql;
use crate::sql::ddl::catalog::HAS_LZ4;
use crate::sql::function::FunctionDdl;
use crate::sql::function::model::AtCommit;
use crate::sync::log::SyncLog;
use crate::view::Handle;

/// What a read model has in the database beside its view tables.
#[derive(Debug)]
pub(crate) struct ModelObjects<'a> {
    pub(crate) views: Vec<&'static View>,
    /// The model of its changes.
    pub(crate) id: i64,
    /// The schema of its change table.
    pub(crate) schema: &'static str,
    /// All functions, those that triggers call among them. Each stands after those that it calls.
    pub(crate) functions: Vec<&'a FunctionDdl>,
    /// `None` if changes are not captured.
    pub(crate) capture: Option<&'a CaptureSql>,
    /// `None` if documents are not synced by every transaction when it commits.
    pub(crate) at_commit: Option<&'a AtCommit>,
}

impl ModelObjects<'_> {
    /// The functions that a role which syncs calls itself: all but those that triggers call. Functions that run with the privileges
    /// of their owner call others with these.
    pub(crate) fn called_functions(&self) -> impl Iterator<Item = &FunctionDdl> {
        let functions = self.functions.iter().copied();
        functions.filter(|function| !function.create.contains("\nRETURNS trigger\n"))
    }
}

/// The key of the advisory lock under which one instance at a time migrates: "fraiseql".
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"fraiseql");

const LOCK: &str = "SELECT pg_catalog.pg_advisory_xact_lock($1)";

/// Creates what is missing, one instance at a time.
pub(crate) async fn migrate(
    views: &[Handle],
    model: Option<&ModelObjects<'_>>,
    log: Option<&SyncLog>,
    connection: &mut PgConnection,
) -> Result<Migration> {
    let failed = || Error::database(Operation::Migrate);
    // CREATE INDEX CONCURRENTLY cannot run in a transaction of the caller.
    let defers = !connection.is_in_transaction();
    let mut transaction = Connection::begin(&mut *connection)
        .await
        .map_err(failed())?;
    // The lock comes before the catalog is read: an instance that waited for it sees what the
    // other one created, and creates nothing twice. It ends with the transaction.
    Statement::new(LOCK, Operation::Migrate)
        .bind(MIGRATION_LOCK)
        .execute(&mut transaction)
        .await?;
    let MigrationPlan {
        steps,
        functions,
        triggers,
        mut drift,
        left_over,
        stale,
        unfilled,
        deferred,
        ..
    } = plan(views, model, log, &mut transaction, defers).await?;
    base_tables::permitted(&mut transaction, &triggers).await?;
    let mut created = Vec::with_capacity(steps.len());
    for step in steps {
        step.run(&mut transaction).await?;
        if step.kind == StepKind::Create {
            created.push(step.what);
        }
    }
    let captures = model.is_some_and(|model| model.capture.is_some());
    let refused = functions::create(&mut transaction, functions, captures, &mut created).await?;
    drift.extend(refused);
    if !defers {
        for trigger in &triggers {
            trigger.step.run(&mut transaction).await?;
        }
    }
    transaction.commit().await.map_err(failed())?;
    if defers {
        base_tables::create(connection, &triggers).await?;
    }
    created.extend(triggers.into_iter().map(|trigger| trigger.step.what));
    concurrent::create(connection, deferred, &mut created, &mut drift).await?;
    Ok(Migration {
        created,
        drift,
        left_over,
        stale,
        unfilled,
    })
}

/// The statements that `migrate` would run now.
pub(crate) async fn migration_plan(
    views: &[Handle],
    model: Option<&ModelObjects<'_>>,
    log: Option<&SyncLog>,
    pool: &PgPool,
) -> Result<Vec<String>> {
    let failed = || Error::database(Operation::PlanMigration);
    let mut transaction = pool.begin().await.map_err(failed())?;
    let plan = plan(views, model, log, &mut transaction, true).await?;
    transaction.rollback().await.map_err(failed())?;
    // In the order of `migrate`.
    let steps = plan.steps.iter();
    let steps = steps.filter(|step| step.kind != StepKind::NoteFilled);
    let functions = plan.functions.iter().map(|function| &function.step);
    let triggers = plan.triggers.iter().map(|trigger| &trigger.step);
    let all = steps.chain(functions).chain(triggers);
    let all = all.flat_map(|step| &step.sql).map(|sql| sql.to_string());
    let deferred = plan.deferred.iter().flat_map(DeferredIndex::statements);
    Ok(all.chain(deferred).collect())
}

async fn plan(
    views: &[Handle],
    model: Option<&ModelObjects<'_>>,
    log: Option<&SyncLog>,
    connection: &mut PgConnection,
    defers_indexes: bool,
) -> Result<MigrationPlan> {
    let lz4: Option<bool> = Statement::new(HAS_LZ4, Operation::Inspect("the server".to_owned()))
        .fetch_optional(&mut *connection, |row| row.try_get(0))
        .await?;
    let lz4 = lz4 == Some(true);
    let mut plan = MigrationPlan {
        defers_indexes,
        ..MigrationPlan::default()
    };
    for view in views {
        plan.view(connection, *view, lz4).await?;
    }
    if let Some(log) = log
        && let Some((what, sql)) = log.missing(connection).await?
    {
        plan.steps.push(Step {
            what,
            sql,
            kind: StepKind::Create,
        });
    }
    plan.bookkeeping(connection, views).await?;
    if let Some(model) = model {
        plan.change_table(connection, model.schema, lz4).await?;
        plan.functions(connection, &model.functions).await?;
        if let Some(capture) = model.capture {
            plan.triggers(connection, capture).await?;
        }
        if let Some(at_commit) = model.at_commit {
            plan.at_commit(connection, model.schema, at_commit).await?;
        }
        plan.left_over(connection, model).await?;
    }
    Ok(plan)
}

impl Step {
    async fn run(&self, connection: &mut PgConnection) -> Result<()> {
        for sql in &self.sql {
            connection
                .execute(AssertSqlSafe(sql.clone()))
                .await
                .map_err(Error::database(Operation::Create(self.what.clone())))?;
        }
        Ok(())
    }
}
