//! The plan of one view whose table exists.

use crate::error::Operation;
use crate::ops::migrate::migration::Drift;
use crate::ops::migrate::plan::MigrationPlan;
use crate::schema::Table;
use crate::sql::ddl::Ddl;
use crate::sql::ddl::remedy::in_schema_of;
use crate::view::Handle;

/// Compares an existing view table with its struct, and adds to the plan. The files `columns`,
/// `indexes` and `storage` implement one comparison each.
pub(super) struct ViewPlan<'p> {
    pub(super) plan: &'p mut MigrationPlan,
    pub(super) view: Handle,
    pub(super) ddl: &'static Ddl,
    pub(super) table: Table,
    /// The table's name, quoted and with its schema: the parameter of catalog queries.
    pub(super) table_name: String,
}

impl<'p> ViewPlan<'p> {
    pub(super) fn new(plan: &'p mut MigrationPlan, view: Handle) -> Self {
        let table = view.view.table;
        Self {
            plan,
            view,
            ddl: &view.statements().ddl,
            table,
            table_name: table.to_string(),
        }
    }
}

impl ViewPlan<'_> {
    pub(super) fn add_drift(&mut self, what: String, why: impl Into<String>, remedy: String) {
        self.plan.drift.push(Drift::new(what, why, remedy));
    }

    /// The operation of reading the catalog about the table.
    pub(super) fn inspect(&self) -> Operation {
        Operation::Inspect(self.table_name.clone())
    }
}

/// A partition of a view table, as reports name it.
pub(super) fn partition_of(table: Table, name: &str) -> String {
    format!("partition {} of {table}", in_schema_of(table, name))
}
