//! Plans the bookkeeping of rebuilds, and finds the views that need a rebuild. Reads no documents.

use std::collections::HashSet;

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::ops::migrate::catalog_rows::BookkeepingState;
use crate::ops::migrate::plan::{MigrationPlan, Step};
use crate::sql::rebuild::FOUND;
use crate::view::Handle;

impl MigrationPlan {
    /// Adds missing bookkeeping tables, notes that views without documents need no rebuild, and
    /// lists the views that need one.
    pub(super) async fn bookkeeping(
        &mut self,
        connection: &mut PgConnection,
        views: &[Handle],
    ) -> Result<()> {
        let mut created = HashSet::new();
        for view in views {
            let (sql, table) = (&view.statements().rebuild, view.view.table);
            let inspect = || Operation::Inspect(table.to_string());
            let found = Statement::new(FOUND, inspect())
                .bind(&sql.table)
                .bind(table.to_string())
                .fetch_one(&mut *connection, BookkeepingState::read)
                .await?;
            // No row is as good as `false`.
            let is_true = async |connection: &mut PgConnection, sql: &'static str| {
                let value: Option<bool> = Statement::new(sql, inspect())
                    .fetch_optional(connection, |row| row.try_get(0))
                    .await?;
                Ok(value == Some(true))
            };
            if !found.exists {
                // The views of a schema share one bookkeeping table.
                if created.insert(&sql.table) {
                    self.create(format!("table {}", sql.table), vec![&sql.create]);
                }
            } else if !found.readable || is_true(connection, &sql.is_done).await? {
                // The view table itself is not read: that would wait for a transaction that
                // holds an ACCESS EXCLUSIVE lock on it.
                continue;
            }
            if found.has_view && is_true(connection, &sql.has_documents).await? {
                self.stale.push(table);
            } else if found.writable || !found.exists {
                self.steps.push(Step {
                    what: format!("the entry of {table} in {}", sql.table),
                    sql: vec![sql.note_empty.as_str().into()],
                    is_note: true,
                });
            }
        }
        Ok(())
    }
}
