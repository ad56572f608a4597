//! Compares the columns of a view table with those of its struct.

use sqlx::PgConnection;

use crate::db::statement::Statement;
use crate::error::{Error, Result};
use crate::ops::migrate::catalog_rows::ColumnRow;
use crate::ops::migrate::migration::Drift;
use crate::ops::migrate::view_plan::ViewPlan;
use crate::schema::Table;
use crate::sql::ddl::{catalog, remedy};
use crate::sql::probe;

impl ViewPlan<'_> {
    /// Adds missing columns to the plan, and returns the columns that differ.
    pub(super) async fn columns(&mut self, connection: &mut PgConnection) -> Result<Vec<Drift>> {
        let table = self.table;
        let names: Vec<&str> = self.ddl.columns.iter().map(|c| c.name.as_str()).collect();
        let types: Vec<&str> = self.ddl.columns.iter().map(|c| c.ty.as_str()).collect();
        let existing = Statement::new(catalog::COLUMNS, self.inspect())
            .bind(&self.table_name)
            .bind(names)
            .bind(types)
            .fetch_each(connection, ColumnRow::read)
            .await?;
        let mut lacking = Vec::new();
        let mut drift = Vec::new();
        for column in &self.ddl.columns {
            let what = column_of(table, &column.name);
            let Some(found) = existing.iter().find(|row| row.name == column.name) else {
                match &column.add {
                    Some(sql) => self.plan.create(what, vec![sql]),
                    // Every view table has this column from the beginning. A table without it was
                    // created for another purpose.
                    None => lacking.push(remedy::quoted(&column.name)),
                }
                continue;
            };
            if found.same == Some(false) {
                let ty = &column.ty;
                let resync = match column.add {
                    Some(_) => format!(
                        "; sync all of {} afterwards; if the values cannot be cast, drop the \
                         column and migrate again",
                        self.view.view.plural
                    ),
                    None => String::new(),
                };
                drift.push(Drift::new(
                    what,
                    format!(
                        "it is of type {}, and the struct's field is {ty}; changing it rewrites \
                         the table{resync}",
                        found.type_name
                    ),
                    probe::set_type(table, &column.name, ty),
                ));
            }
        }
        if !lacking.is_empty() {
            return Err(Error::NotAViewTable {
                table,
                missing: lacking.join(", "),
            });
        }
        for column in existing.iter().filter(|row| row.same.is_none()) {
            drift.push(Drift::new(
                column_of(table, &column.name),
                "no field is promoted to it, and sync does not write it",
                remedy::drop_column(table, &column.name),
            ));
        }
        Ok(drift)
    }
}

fn column_of(table: Table, name: &str) -> String {
    format!("column {} of {table}", remedy::quoted(name))
}
