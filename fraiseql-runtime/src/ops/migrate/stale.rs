//! The bookkeeping of rebuilds, and which views need one. No document is looked at.

use std::collections::HashSet;

use sqlx::PgConnection;

use crate::error::Result;
use crate::ops::migrate::found::Bookkeeping;
use crate::ops::migrate::plan::{Plan, Step, looking};
use crate::sql::rebuild::FOUND;
use crate::view::Handle;

impl Plan {
    /// Adds the bookkeeping of rebuilds where it is missing, notes that views without documents
    /// need none, and lists those that do.
    pub(super) async fn rebuilds(
        &mut self,
        connection: &mut PgConnection,
        views: &[Handle],
    ) -> Result<()> {
        let mut created = HashSet::new();
        for view in views {
            let (sql, table) = (&view.statements().rebuild, view.view.table);
            let found: Bookkeeping = sqlx::query_as(FOUND)
                .bind(&sql.table)
                .bind(table.to_string())
                .fetch_one(&mut *connection)
                .await
                .map_err(looking(table))?;
            let ask = async |connection: &mut PgConnection, sql: &'static str| {
                let answer: Option<bool> = sqlx::query_scalar(sql)
                    .fetch_optional(connection)
                    .await
                    .map_err(looking(table))?;
                Ok(answer == Some(true))
            };
            if !found.exists {
                if created.insert(&sql.table) {
                    self.create(format!("table {}", sql.table), vec![&sql.create]);
                }
            } else if !found.readable || ask(connection, &sql.is_done).await? {
                // Not even whether there are documents is asked: that waits for who has the
                // table locked.
                continue;
            }
            if found.has_view && ask(connection, &sql.has_documents).await? {
                self.stale.push(table);
            } else if found.writable || !found.exists {
                self.steps.push(Step {
                    what: format!("note of {table}"),
                    sql: vec![sql.note_empty.as_str().into()],
                    is_note: true,
                });
            }
        }
        Ok(())
    }
}
