//! Migration: creates missing view tables, columns, indexes and bookkeeping tables, and reports
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
//! `concurrent` creates the indexes of large tables after the transaction.

mod bookkeeping;
mod catalog_rows;
mod columns;
mod concurrent;
mod indexes;
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
use crate::sql::ddl::catalog::HAS_LZ4;
use crate::sync::log::SyncLog;
use crate::view::Handle;

/// The key of the advisory lock under which one instance at a time migrates: "fraiseql".
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"fraiseql");

const LOCK: &str = "SELECT pg_catalog.pg_advisory_xact_lock($1)";

/// Creates what is missing, one instance at a time.
pub(crate) async fn migrate(
    views: &[Handle],
    log: Option<&SyncLog>,
    connection: &mut PgConnection,
) -> Result<Migration> {
    let failed = || Error::database(Operation::Migrate);
    // CREATE INDEX CONCURRENTLY cannot run in a transaction of the caller.
    let defers_indexes = !connection.is_in_transaction();
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
        mut drift,
        stale,
        unfilled,
        deferred,
        ..
    } = plan(views, log, &mut transaction, defers_indexes).await?;
    let mut created = Vec::with_capacity(steps.len());
    for step in steps {
        for sql in step.sql {
            transaction
                .execute(AssertSqlSafe(sql))
                .await
                .map_err(Error::database(Operation::Create(step.what.clone())))?;
        }
        if step.kind == StepKind::Create {
            created.push(step.what);
        }
    }
    transaction.commit().await.map_err(failed())?;
    concurrent::create(connection, deferred, &mut created, &mut drift).await?;
    Ok(Migration {
        created,
        drift,
        stale,
        unfilled,
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
    let plan = plan(views, log, &mut transaction, true).await?;
    transaction.rollback().await.map_err(failed())?;
    let steps = plan.steps.iter();
    let steps = steps.filter(|step| step.kind != StepKind::NoteFilled);
    let steps = steps.flat_map(|step| &step.sql);
    let deferred = plan.deferred.iter().flat_map(DeferredIndex::statements);
    // In the order of `migrate`.
    Ok(steps.map(|sql| sql.to_string()).chain(deferred).collect())
}

async fn plan(
    views: &[Handle],
    log: Option<&SyncLog>,
    connection: &mut PgConnection,
    defers_indexes: bool,
) -> Result<MigrationPlan> {
    let lz4: Option<bool> = Statement::new(HAS_LZ4, Operation::Inspect("the server".to_owned()))
        .fetch_optional(&mut *connection, |row| row.try_get(0))
        .await?;
    let mut plan = MigrationPlan {
        defers_indexes,
        ..MigrationPlan::default()
    };
    for view in views {
        plan.view(connection, *view, lz4 == Some(true)).await?;
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
    Ok(plan)
}
