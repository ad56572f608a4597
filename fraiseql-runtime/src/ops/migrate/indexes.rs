//! Compares the indexes of a view table with those that the attributes declare.

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::ops::migrate::catalog_rows::{Definitions, IndexRow, definitions};
use crate::ops::migrate::plan::{DeferredIndex, index_of};
use crate::ops::migrate::view_plan::ViewPlan;
use crate::schema::Table;
use crate::sql::ddl::twin::TWIN;
use crate::sql::ddl::{catalog, index, remedy};

/// An index that the attributes declare, and the existing one of its name.
type Pair<'r> = (&'static index::IndexDdl, &'r IndexRow);

impl ViewPlan<'_> {
    /// Adds missing indexes to the plan, now or deferred, and the indexes that differ.
    pub(super) async fn indexes(&mut self, connection: &mut PgConnection) -> Result<()> {
        let table = self.table;
        let existing = Statement::new(catalog::INDEXES, self.inspect())
            .bind(&self.table_name)
            .fetch_each(&mut *connection, IndexRow::read)
            .await?;
        let mut unrecognized = Vec::new();
        for declared in &self.ddl.indexes {
            let found = existing.iter().find(|row| row.name == declared.name);
            let deferred = DeferredIndex {
                table,
                index: declared,
                is_invalid: found.is_some_and(|found| !found.valid),
            };
            let Some(found) = found else {
                if self.is_large(connection).await? {
                    self.plan.deferred.push(deferred);
                } else {
                    self.plan.create_index(table, declared);
                }
                continue;
            };
            // The second phase drops what a failed CREATE INDEX CONCURRENTLY has left, and
            // creates the index again. The index of a constraint cannot be dropped like that.
            if !found.valid && found.constraint.is_none() && self.is_large(connection).await? {
                self.plan.deferred.push(deferred);
            } else if !found.valid {
                self.add_drift(
                    deferred.what(),
                    "it is not valid: a CREATE INDEX CONCURRENTLY has failed or is still \
                     running, or partitions are not attached; if none is running, drop it and \
                     migrate again",
                    drop_index(table, found),
                );
            } else if found.comment.as_ref() != Some(&declared.mark) {
                unrecognized.push((declared, found));
            }
        }
        self.compare(connection, &unrecognized).await?;
        for row in &existing {
            if !self.ddl.indexes.iter().any(|index| index.name == row.name) {
                self.add_drift(
                    index_of(table, &row.name),
                    "no attribute declares it",
                    drop_index(table, row),
                );
            }
        }
        Ok(())
    }

    /// Compares indexes without the comment of a migration with what the attributes declare.
    async fn compare(
        &mut self,
        connection: &mut PgConnection,
        unrecognized: &[Pair<'_>],
    ) -> Result<()> {
        let table = self.table;
        let definitions = self.definitions(connection, unrecognized).await?;
        for (declared, found) in unrecognized {
            let what = index_of(table, &declared.name);
            match &definitions {
                Some((existing, wanted))
                    if existing.get(&declared.name) == wanted.get(&declared.name) => {}
                Some(_) => self.add_drift(
                    what,
                    format!(
                        "it differs from the index that the attributes declare: {}; drop it and \
                         migrate again",
                        declared.sql
                    ),
                    drop_index(table, found),
                ),
                None => self.add_drift(
                    what,
                    format!(
                        "it was not created by a migration, and this role or transaction cannot \
                         create temporary tables to compare it with what the attributes declare: \
                         {}; if it is that index, set the comment",
                        declared.sql
                    ),
                    declared.comment.clone(),
                ),
            }
        }
        Ok(())
    }

    /// Whether an index is created after the transaction: its table is so large that creating the
    /// index would block syncs for a while.
    async fn is_large(&self, connection: &mut PgConnection) -> Result<bool> {
        if !self.plan.defers_indexes {
            return Ok(false);
        }
        let is_large: Option<bool> = Statement::new(catalog::IS_LARGE, self.inspect())
            .bind(&self.table_name)
            .fetch_optional(connection, |row| row.try_get(0))
            .await?;
        Ok(is_large == Some(true))
    }

    /// The definitions of the existing indexes, and those of the declared ones, which are created
    /// on an empty temporary table and rolled back. `None` if such a table cannot be created.
    ///
    /// PostgreSQL itself prints both definitions, so that equivalent spellings of one index, such
    /// as `lower(title)` and `LOWER( (title) )`, are equal.
    async fn definitions(
        &self,
        connection: &mut PgConnection,
        indexes: &[Pair<'_>],
    ) -> Result<Option<(Definitions, Definitions)>> {
        if indexes.is_empty() {
            return Ok(None);
        }
        let inspect = || Operation::Inspect(format!("the indexes of {}", self.table));
        let existing = definitions(&mut *connection, &self.table_name, inspect()).await?;
        let wanted = async {
            // A savepoint of the migration's transaction: the rollback leaves nothing of the
            // twin, and an error in it does not abort the migration.
            let mut savepoint = connection.begin().await?;
            savepoint.execute(self.ddl.create_twin.as_str()).await?;
            for (declared, _) in indexes {
                savepoint.execute(declared.twin.as_str()).await?;
            }
            let wanted = definitions(&mut savepoint, TWIN, inspect()).await;
            savepoint.rollback().await?;
            Ok(wanted)
        };
        match wanted.await.map_err(Error::database(inspect())) {
            Err(error) if error.is_not_permitted() => Ok(None),
            Err(error) => Err(error),
            Ok(wanted) => Ok(Some((existing, wanted?))),
        }
    }
}

fn drop_index(table: Table, row: &IndexRow) -> String {
    remedy::drop_index(table, &row.name, row.constraint.as_deref())
}
