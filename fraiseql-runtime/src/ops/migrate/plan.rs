//! The plan of a migration: statements to run, and differences to report.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

use crate::error::{Error, Operation, Result};
use crate::ops::migrate::capture::TriggerStep;
use crate::ops::migrate::functions::FunctionStep;
use crate::ops::migrate::matviews::MatviewStep;
use crate::ops::migrate::migration::Drift;
use crate::schema::Table;
use crate::sql::ddl::idempotent::if_not_exists;
use crate::sql::ddl::index;
use crate::sql::ddl::remedy::in_schema_of;

/// The statements that a migration would run, and the differences that it would report.
#[derive(Debug, Default)]
pub(super) struct MigrationPlan {
    pub(super) steps: Vec<Step>,
    pub(super) drift: Vec<Drift>,
    /// The functions to create or to replace.
    pub(super) functions: Vec<FunctionStep>,
    /// The triggers to create. Each step locks a base table.
    pub(super) triggers: Vec<TriggerStep>,
    /// Whether indexes of large tables are created after the transaction.
    pub(super) defers_indexes: bool,
    /// The indexes to create after the transaction.
    pub(super) deferred: Vec<DeferredIndex>,
    /// The materialized views to build after the transaction.
    pub(super) matviews: Vec<MatviewStep>,
    /// What other releases have left.
    pub(super) left_over: Vec<Drift>,
    /// The views with stale documents.
    pub(super) stale: Vec<Table>,
    /// The views without documents for rows that exist.
    pub(super) unfilled: Vec<Table>,
}

/// An object to create, with the statements that create it.
#[derive(Debug)]
pub(super) struct Step {
    /// As in [`Migration::created`](crate::migrate::Migration::created).
    pub(super) what: String,
    pub(super) sql: Vec<Arc<str>>,
    pub(super) kind: StepKind,
}

impl Step {
    /// Runs its statements.
    pub(super) async fn run(&self, connection: &mut PgConnection) -> Result<()> {
        for sql in &self.sql {
            connection
                .execute(AssertSqlSafe(sql.clone()))
                .await
                .map_err(Error::database(Operation::Create(self.what.clone())))?;
        }
        Ok(())
    }
}

/// What a step is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepKind {
    /// It creates an object, which is reported.
    Create,
    /// It notes in the bookkeeping table which views are not filled.
    Note,
    /// It notes that a full sync has filled a view. The plan of a database that lacks nothing is
    /// empty, so it is not in the plan.
    NoteFilled,
}

/// An index that is created by CREATE INDEX CONCURRENTLY, which a transaction does not allow.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeferredIndex {
    pub(super) table: Table,
    pub(super) index: &'static index::IndexDdl,
    /// Whether an index of its name exists that is not valid.
    pub(super) is_invalid: bool,
}

impl DeferredIndex {
    /// As in [`Migration::created`](crate::migrate::Migration::created).
    pub(super) fn what(&self) -> String {
        index_of(self.table, &self.index.name)
    }

    /// The statements that create it.
    pub(super) fn statements(&self) -> impl Iterator<Item = String> + use<> {
        let drop = self
            .is_invalid
            .then(|| self.index.drop_concurrently.clone());
        let create = [
            if_not_exists(&self.index.concurrently),
            self.index.comment.clone(),
        ];
        drop.into_iter().chain(create)
    }
}

impl MigrationPlan {
    /// Adds a step that creates an object.
    pub(super) fn create(&mut self, what: String, sql: Vec<&str>) {
        self.steps.push(Step {
            what,
            sql: sql.into_iter().map(if_not_exists).map(Arc::from).collect(),
            kind: StepKind::Create,
        });
    }

    /// Adds a step that creates an index, with the comment by which later migrations recognize
    /// it.
    pub(super) fn create_index(&mut self, table: Table, index: &'static index::IndexDdl) {
        self.create(
            index_of(table, &index.name),
            vec![&index.sql, &index.comment],
        );
    }
}

/// An index of a view table, as reports name it.
pub(super) fn index_of(table: Table, name: &str) -> String {
    format!("index {}", in_schema_of(table, name))
}
