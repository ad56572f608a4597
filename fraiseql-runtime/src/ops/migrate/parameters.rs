//! Compares the storage parameters of a view table with that of its struct: partitions, UNLOGGED,
//! fillfactor.

use std::collections::HashMap;

use sqlx::PgConnection;

use crate::db::statement::Statement;
use crate::error::Result;
use crate::ops::migrate::catalog_rows::{PartitionRow, TableRow};
use crate::ops::migrate::view_plan::{ViewPlan, partition_of};
use crate::schema::Partition;
use crate::sql::ddl::table::{plain_bound, strategy};
use crate::sql::ddl::{catalog, remedy};

impl ViewPlan<'_> {
    /// Adds missing partitions to the plan, and storage parameters that differ.
    pub(super) async fn parameters(
        &mut self,
        connection: &mut PgConnection,
        existing: &TableRow,
    ) -> Result<()> {
        let (table, parameters) = (self.table, self.view.view.parameters);
        let key = self.view.view.partition_columns();
        match parameters.partition {
            None if existing.strategy.is_none() => {
                self.options(
                    format!("table {table}"),
                    &self.table_name.clone(),
                    existing.unlogged,
                    existing.fillfactor,
                );
                return Ok(());
            }
            Some(partition)
                if existing.strategy.as_deref() == Some(strategy(partition))
                    && existing.partition_key == key => {}
            declared => {
                self.partitioning_differs(existing.strategy.as_deref(), declared);
                return Ok(());
            }
        }
        let found = Statement::new(catalog::PARTITIONS, self.inspect())
            .bind(&self.table_name)
            .fetch_each(connection, PartitionRow::read)
            .await?;
        let bounds: HashMap<String, &PartitionRow> = found
            .iter()
            .map(|row| (plain_bound(row.bound.as_deref().unwrap_or_default()), row))
            .collect();
        let declared = &self.ddl.partitions;
        // One other partition is enough: it has keys that a declared one would have, so the
        // declared one cannot be attached.
        let has_others = bounds
            .keys()
            .any(|bound| !declared.iter().any(|partition| partition.bound == *bound));
        if has_others {
            self.partitioning_differs(existing.strategy.as_deref(), parameters.partition);
            return Ok(());
        }
        for partition in declared {
            match bounds.get(&partition.bound) {
                None => self
                    .plan
                    .create(partition_of(table, &partition.name), vec![&partition.sql]),
                Some(row) => {
                    let name = remedy::qualified(&row.schema, &row.name);
                    self.options(
                        format!("partition {name} of {table}"),
                        &name,
                        row.unlogged,
                        row.fillfactor,
                    );
                }
            }
        }
        Ok(())
    }

    /// Compares the options of a table or partition; `name` is quoted.
    fn options(&mut self, what: String, name: &str, unlogged: bool, fillfactor: i32) {
        let parameters = self.view.view.parameters;
        if unlogged != parameters.unlogged {
            let difference = if unlogged {
                "unlogged, and the struct does not declare `unlogged`"
            } else {
                "logged, and the struct declares `unlogged`"
            };
            self.add_drift(
                what.clone(),
                format!("it is {difference}; changing it rewrites the table"),
                remedy::set_unlogged(name, parameters.unlogged),
            );
        }
        let declared = parameters.fillfactor;
        if fillfactor != i32::from(declared) {
            self.add_drift(
                what,
                format!(
                    "its fillfactor is {fillfactor}, and that of the struct is {declared}; a \
                     change applies to pages that are written from then on"
                ),
                remedy::set_fillfactor(name, declared),
            );
        }
    }

    fn partitioning_differs(&mut self, existing: Option<&str>, declared: Option<Partition>) {
        let describe = |strategy: Option<&str>| match strategy {
            None => "one table".to_owned(),
            Some(strategy) => format!("partitioned by {strategy}"),
        };
        let (existing, declared) = (describe(existing), describe(declared.map(strategy)));
        let difference = if existing == declared {
            format!("it is {existing}, into other partitions than the struct declares")
        } else {
            format!("it is {existing}, and the struct's is {declared}")
        };
        let table = self.table;
        self.add_drift(
            format!("table {table}"),
            format!(
                "{difference}; its documents can be built again: drop it, migrate, and sync all \
                 of {}",
                self.view.view.plural
            ),
            remedy::drop_table(table),
        );
    }
}
