//! Plans the view table of each view.

use sqlx::PgConnection;

use crate::error::{Error, Operation, Result};
use crate::ops::migrate::catalog_rows::TableRow;
use crate::ops::migrate::partition_bounds::{PartitionBounds, out_of_order};
use crate::ops::migrate::plan::MigrationPlan;
use crate::ops::migrate::view_plan::{ViewPlan, partition_of};
use crate::view::Handle;

impl MigrationPlan {
    /// Adds what a view table lacks, and how it differs from its struct.
    pub(super) async fn view(
        &mut self,
        connection: &mut PgConnection,
        view: Handle,
        lz4: bool,
    ) -> Result<()> {
        let table = view.view.table;
        let inspect = Operation::Inspect(table.to_string());
        let existing = TableRow::find(connection, table).await?;
        let Some(existing) = existing else {
            // PostgreSQL would refuse the partitions, too, with a message about one of them.
            if let Some(bounds) = out_of_order(connection, view.view, inspect).await? {
                let PartitionBounds { written, ordered } = bounds;
                return Err(Error::PartitionBounds {
                    view: table,
                    bounds: written,
                    order: ordered,
                });
            }
            self.create_view_table(view, lz4);
            return Ok(());
        };
        existing.is_of_kind("rp", table, "table")?;
        let mut view_plan = ViewPlan::new(self, view);
        // Operators run the remedies in the order of the report. An index comes before its
        // columns, because dropping a column drops the index, and then the index's own remedy
        // fails.
        let column_drift = view_plan.columns(connection).await?;
        view_plan.indexes(connection).await?;
        view_plan.plan.drift.extend(column_drift);
        view_plan.parameters(connection, &existing).await
    }

    /// Adds a view table that does not exist, with its partitions and indexes.
    fn create_view_table(&mut self, view: Handle, lz4: bool) {
        let ddl = &view.statements().ddl;
        let table = view.view.table;
        let create: &str = if lz4 {
            &ddl.create_table_lz4
        } else {
            &ddl.create_table
        };
        self.create(format!("table {table}"), vec![create]);
        for partition in &ddl.partitions {
            self.create(partition_of(table, &partition.name), vec![&partition.sql]);
        }
        for index in &ddl.indexes {
            self.create_index(table, index);
        }
    }
}
