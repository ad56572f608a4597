//! The phases of a migration: its plan, the steps in one transaction, what follows it.

use std::collections::HashSet;

use sqlx::{Connection, PgConnection, PgPool, Row as _};

use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::ops::migrate::matviews::MatviewStep;
use crate::ops::migrate::migration::Migration;
use crate::ops::migrate::objects::ModelObjects;
use crate::ops::migrate::plan::{DeferredIndex, MigrationPlan, Step, StepKind};
use crate::ops::migrate::{base_tables, functions, lock, matviews};
use crate::sql::ddl::catalog::HAS_LZ4;
use crate::sync::log::SyncLog;
use crate::view::Handle;

/// What is migrated.
#[derive(Clone, Copy, Debug)]
pub struct MigrateRequest<'a> {
    pub(crate) views: &'a [Handle],
    pub(crate) model: Option<&'a ModelObjects<'a>>,
    pub(crate) log: Option<&'a SyncLog>,
}

/// The result of a migration without its last phase.
pub(super) struct Migrated {
    pub(super) migration: Migration,
    /// The indexes that the last phase creates.
    pub(super) deferred: Vec<DeferredIndex>,
}

/// Creates what is missing, one instance at a time, but for the indexes of large tables.
pub(super) async fn run(
    request: MigrateRequest<'_>,
    connection: &mut PgConnection,
) -> Result<Migrated> {
    let MigrateRequest { views, model, log } = request;
    let failed = || Error::database(Operation::Migrate);
    // CREATE INDEX CONCURRENTLY cannot run in a transaction of the caller.
    let defers = !connection.is_in_transaction();
    let mut transaction = Connection::begin(&mut *connection)
        .await
        .map_err(failed())?;
    // The lock comes before the catalog is read: an instance that waited for it sees what the
    // other one created, and creates nothing twice. It ends with the transaction.
    lock::acquire(&mut transaction, lock::MIGRATION).await?;
    let MigrationPlan {
        steps,
        functions,
        triggers,
        mut drift,
        left_over,
        stale,
        unfilled,
        deferred,
        matviews,
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
    let captures = model.is_some_and(ModelObjects::has_triggers);
    let refused = functions::create(&mut transaction, functions, captures, &mut created).await?;
    drift.extend(refused);
    if !defers {
        for trigger in &triggers {
            trigger.step.run(&mut transaction).await?;
        }
        for step in &matviews {
            matviews::run(&mut transaction, step).await?;
            created.push(step.what.clone());
        }
    }
    transaction.commit().await.map_err(failed())?;
    if defers {
        base_tables::create(connection, &triggers).await?;
    }
    created.extend(triggers.into_iter().map(|trigger| trigger.step.what));
    if defers {
        matviews::create(connection, &matviews, &mut created).await?;
    }
    let migration = Migration {
        created,
        drift,
        left_over,
        stale,
        unfilled,
    };
    Ok(Migrated {
        migration,
        deferred,
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
    let matviews = plan.matviews.iter().flat_map(MatviewStep::statements);
    let deferred = plan.deferred.iter().flat_map(DeferredIndex::statements);
    Ok(all.chain(matviews).chain(deferred).collect())
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
    let mut refreshes = HashSet::new();
    for view in views {
        match &view.statements().matview {
            Some(sql) => {
                plan.matview(connection, *view, sql, lz4, &mut refreshes)
                    .await?;
            }
            None if view.view.is_synced() => plan.view(connection, *view, lz4).await?,
            // A live view has nothing in the database.
            None => {}
        }
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
    let synced = views.iter().filter(|view| view.view.is_synced());
    let synced: Vec<Handle> = synced.copied().collect();
    plan.bookkeeping(connection, &synced).await?;
    if let Some(model) = model {
        plan.change_table(connection, model.schema, lz4).await?;
        plan.functions(connection, &model.functions).await?;
        if let Some(capture) = model.capture {
            plan.triggers(connection, capture).await?;
        }
        if let Some(feed) = model.feed {
            plan.feed(connection, feed).await?;
        }
        if let Some(at_commit) = model.at_commit {
            plan.at_commit(connection, model.schema, at_commit).await?;
        }
        plan.left_over(connection, model).await?;
    }
    Ok(plan)
}
