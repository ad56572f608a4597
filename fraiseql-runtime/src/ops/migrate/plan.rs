//! What is missing and what is left over, of one view after the other.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::{Connection, Executor, PgConnection};

use crate::error::{Error, Operation, Result};
use crate::ops::migrate::found::{
    ColumnRow, Definitions, IndexRow, PartitionRow, TableRow, definitions,
};
use crate::ops::migrate::{LeftOver, bounds};
use crate::schema::{Partition, Table};
use crate::sql::ddl::remedy;
use crate::sql::ddl::remedy::beside;
use crate::sql::ddl::table::{TWIN, plain_bound, strategy};
use crate::sql::ddl::{Ddl, catalog, index};
use crate::sql::probe;
use crate::sync::log::SyncLog;
use crate::view::Handle;

/// What a migration would do, and what it would leave to a person.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) left_over: Vec<LeftOver>,
    /// Whether indexes of large tables are left to a second phase, outside of the transaction.
    pub(super) defers: bool,
    /// Those indexes.
    pub(super) later: Vec<Later>,
    /// The views whose documents are of another shape.
    pub(super) stale: Vec<Table>,
}

/// Something to create, and the statements that do.
#[derive(Debug)]
pub(super) struct Step {
    /// As in [`Migration::created`](crate::migrate::Migration::created).
    pub(super) what: String,
    pub(super) sql: Vec<Arc<str>>,
    /// Whether it is only written down, and nothing is created.
    pub(super) is_note: bool,
}

/// An index that is created concurrently.
#[derive(Clone, Copy, Debug)]
pub(super) struct Later {
    pub(super) table: Table,
    pub(super) index: &'static index::Index,
}

impl Plan {
    /// Adds what is missing of a view, and what is left over.
    pub(super) async fn view(
        &mut self,
        connection: &mut PgConnection,
        view: Handle,
        lz4: bool,
    ) -> Result<()> {
        let ddl = &view.statements().ddl;
        let table = view.view.table;
        let existing: Option<TableRow> = sqlx::query_as(catalog::TABLE)
            .bind(table.to_string())
            .fetch_optional(&mut *connection)
            .await
            .map_err(looking(table))?;
        let Some(existing) = existing else {
            let misplaced = bounds::misplaced(connection, view.view)
                .await
                .map_err(looking(table))?;
            if let Some((bounds, order)) = misplaced {
                return Err(Error::PartitionBounds {
                    view: table,
                    bounds,
                    order,
                });
            }
            self.whole(view, lz4);
            return Ok(());
        };
        let mut part = ViewPlan {
            plan: self,
            view,
            ddl,
            table,
            name: table.to_string(),
        };
        // The remedies can be run in their order: an index goes before its columns.
        let columns = part.columns(connection).await?;
        part.indexes(connection).await?;
        part.plan.left_over.extend(columns);
        part.storage(connection, &existing).await
    }

    /// Everything of a view that has no table yet.
    fn whole(&mut self, view: Handle, lz4: bool) {
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

    pub(super) fn create(&mut self, what: String, sql: Vec<&str>) {
        let sql = sql.into_iter().map(Arc::from).collect();
        self.steps.push(Step {
            what,
            sql,
            is_note: false,
        });
    }

    /// Adds the table of the log, where it is missing.
    pub(super) async fn log(&mut self, connection: &mut PgConnection, log: &SyncLog) -> Result<()> {
        if let Some((table, sql)) = log.missing(connection).await? {
            let what = format!("table {table}");
            self.steps.push(Step {
                what,
                sql,
                is_note: false,
            });
        }
        Ok(())
    }

    fn create_index(&mut self, table: Table, index: &'static index::Index) {
        self.create(
            format!("index {}", beside(table, &index.name)),
            vec![&index.sql, &index.comment],
        );
    }
}

/// The plan of a view whose table there is.
struct ViewPlan<'p> {
    plan: &'p mut Plan,
    view: Handle,
    ddl: &'static Ddl,
    table: Table,
    /// The table's name as text.
    name: String,
}

impl ViewPlan<'_> {
    fn left(&mut self, what: String, why: impl Into<String>, remedy: String) {
        self.plan.left_over.push(LeftOver::new(what, why, remedy));
    }

    /// What is left over of the columns.
    async fn columns(&mut self, connection: &mut PgConnection) -> Result<Vec<LeftOver>> {
        let table = self.table;
        let names: Vec<&str> = self.ddl.columns.iter().map(|c| c.name.as_str()).collect();
        let types: Vec<&str> = self.ddl.columns.iter().map(|c| c.ty.as_str()).collect();
        let existing: Vec<ColumnRow> = sqlx::query_as(catalog::COLUMNS)
            .bind(&self.name)
            .bind(names)
            .bind(types)
            .fetch_all(connection)
            .await
            .map_err(looking(table))?;
        let mut lacking = Vec::new();
        let mut left_over = Vec::new();
        for column in &self.ddl.columns {
            let what = column_of(table, &column.name);
            let Some(found) = existing.iter().find(|row| row.name == column.name) else {
                match &column.add {
                    Some(sql) => self.plan.create(what, vec![sql]),
                    None => lacking.push(remedy::quoted(&column.name)),
                }
                continue;
            };
            if found.same == Some(false) {
                let ty = &column.ty;
                let promoted = match column.add {
                    Some(_) => format!(
                        ", and all of {} are to be synced afterwards; where the values cannot be \
                         cast, drop the column and migrate again",
                        self.view.view.plural
                    ),
                    None => String::new(),
                };
                left_over.push(LeftOver::new(
                    what,
                    format!(
                        "it is of type {}, and the struct's field is {ty}; changing it rewrites \
                         the table{promoted}",
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
            left_over.push(LeftOver::new(
                column_of(table, &column.name),
                "no field is promoted to it (any more), and sync does not write it",
                remedy::drop_column(table, &column.name),
            ));
        }
        Ok(left_over)
    }

    async fn indexes(&mut self, connection: &mut PgConnection) -> Result<()> {
        let table = self.table;
        let existing: Vec<IndexRow> = sqlx::query_as(catalog::INDEXES)
            .bind(&self.name)
            .fetch_all(&mut *connection)
            .await
            .map_err(looking(table))?;
        let mut unknown = Vec::new();
        for wanted in &self.ddl.indexes {
            let later = Later {
                table,
                index: wanted,
            };
            let Some(found) = existing.iter().find(|row| row.name == wanted.name) else {
                if self.is_large(connection).await? {
                    self.plan.later.push(later);
                } else {
                    self.plan.create_index(table, wanted);
                }
                continue;
            };
            if !found.valid && found.constraint.is_none() && self.is_large(connection).await? {
                self.plan.later.push(later);
            } else if !found.valid {
                self.left(
                    format!("index {}", beside(table, &wanted.name)),
                    "it is not valid: a CREATE INDEX CONCURRENTLY has failed or is still \
                     running, or partitions are not attached; unless it runs, drop it and \
                     migrate again",
                    drop_index(table, found),
                );
            } else if found.comment.as_ref() != Some(&wanted.mark) {
                unknown.push((wanted, found));
            }
        }
        let definitions = self.definitions(connection, &unknown).await?;
        for (wanted, found) in unknown {
            let what = format!("index {}", beside(table, &wanted.name));
            match &definitions {
                Some((ours, theirs)) if ours.get(&wanted.name) == theirs.get(&wanted.name) => {}
                Some(_) => self.left(
                    what,
                    format!(
                        "it is another index than the attributes ask for, which is: {}; drop it \
                         and migrate again",
                        wanted.sql
                    ),
                    drop_index(table, found),
                ),
                None => self.left(
                    what,
                    format!(
                        "it was not created by this migration, and without the right to create \
                         temporary tables it cannot be told whether it is what the attributes \
                         ask for: {}; if it is, say so",
                        wanted.sql
                    ),
                    wanted.comment.clone(),
                ),
            }
        }
        for row in &existing {
            if !self.ddl.indexes.iter().any(|index| index.name == row.name) {
                self.left(
                    format!("index {}", beside(table, &row.name)),
                    "no attribute asks for it (any more)",
                    drop_index(table, row),
                );
            }
        }
        Ok(())
    }

    /// Whether an index is to be created outside of the transaction.
    async fn is_large(&self, connection: &mut PgConnection) -> Result<bool> {
        if !self.plan.defers {
            return Ok(false);
        }
        let is_large: Option<bool> = sqlx::query_scalar(catalog::IS_LARGE)
            .bind(&self.name)
            .fetch_optional(connection)
            .await
            .map_err(looking(self.table))?;
        Ok(is_large == Some(true))
    }

    /// The definitions of the table's indexes, and those of the wanted ones, created on an
    /// empty table that is rolled back. None where such a table cannot be created.
    async fn definitions(
        &self,
        connection: &mut PgConnection,
        indexes: &[(&'static index::Index, &IndexRow)],
    ) -> Result<Option<(Definitions, Definitions)>> {
        if indexes.is_empty() {
            return Ok(None);
        }
        let compare = async {
            let ours = definitions(&mut *connection, &self.name).await?;
            let mut transaction = Connection::begin(connection).await?;
            transaction.execute(self.ddl.create_twin.as_str()).await?;
            for (wanted, _) in indexes {
                transaction.execute(wanted.twin.as_str()).await?;
            }
            let theirs = definitions(&mut transaction, TWIN).await?;
            transaction.rollback().await?;
            Ok(Some((ours, theirs)))
        };
        match compare.await {
            Err(error) if is_not_allowed(&error) => Ok(None),
            result => result.map_err(Error::database(Operation::Inspect(format!(
                "the indexes of {}",
                self.table
            )))),
        }
    }

    async fn storage(&mut self, connection: &mut PgConnection, existing: &TableRow) -> Result<()> {
        let (table, storage) = (self.table, self.view.view.storage);
        let key = self.view.view.key.column;
        match storage.partition {
            None if existing.strategy.is_none() => {
                self.kept(
                    format!("table {table}"),
                    &self.name.clone(),
                    existing.unlogged,
                    existing.fillfactor,
                );
                return Ok(());
            }
            Some(partition)
                if existing.strategy.as_deref() == Some(strategy(partition))
                    && existing.partition_key.as_deref() == Some(key) => {}
            wanted => {
                self.divided_otherwise(existing.strategy.as_deref(), wanted);
                return Ok(());
            }
        }
        let found: Vec<PartitionRow> = sqlx::query_as(catalog::PARTITIONS)
            .bind(&self.name)
            .fetch_all(connection)
            .await
            .map_err(looking(table))?;
        let bounds: HashMap<String, &PartitionRow> = found
            .iter()
            .map(|row| (plain_bound(row.bound.as_deref().unwrap_or_default()), row))
            .collect();
        let wanted = &self.ddl.partitions;
        let strange = bounds
            .keys()
            .any(|bound| !wanted.iter().any(|partition| partition.bound == *bound));
        if strange {
            self.divided_otherwise(existing.strategy.as_deref(), storage.partition);
            return Ok(());
        }
        for partition in wanted {
            match bounds.get(&partition.bound) {
                None => self
                    .plan
                    .create(partition_of(table, &partition.name), vec![&partition.sql]),
                Some(row) => {
                    let name = remedy::qualified(&row.schema, &row.name);
                    self.kept(
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

    /// How the rows of a table or partition are kept.
    fn kept(&mut self, what: String, name: &str, unlogged: bool, fillfactor: i32) {
        let storage = self.view.view.storage;
        if unlogged != storage.unlogged {
            let is = if unlogged {
                "unlogged, and the struct does not say so"
            } else {
                "logged, and the struct says `unlogged`"
            };
            self.left(
                what.clone(),
                format!("it is {is}; changing it rewrites the table"),
                remedy::set_unlogged(name, storage.unlogged),
            );
        }
        let wanted = storage.fillfactor;
        if fillfactor != i32::from(wanted) {
            self.left(
                what,
                format!(
                    "its fillfactor is {fillfactor}, and the struct's {wanted}; changing it is for \
                     the pages that are written from then on"
                ),
                remedy::set_fillfactor(name, wanted),
            );
        }
    }

    fn divided_otherwise(&mut self, is: Option<&str>, wanted: Option<Partition>) {
        let describe = |strategy: Option<&str>| match strategy {
            None => "one table".to_owned(),
            Some(strategy) => format!("partitioned by {strategy}"),
        };
        let (is, wanted) = (describe(is), describe(wanted.map(strategy)));
        let why = if is == wanted {
            format!("it is {is}, into other partitions than the struct's")
        } else {
            format!("it is {is}, and the struct's is {wanted}")
        };
        let table = self.table;
        self.left(
            format!("table {table}"),
            format!(
                "{why}; its documents can be built anew: drop it, migrate, and sync all of {}",
                self.view.view.plural
            ),
            remedy::drop_table(table),
        );
    }
}

/// No right to do it, or a transaction that only reads.
fn is_not_allowed(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == "42501" || code == "25006")
}

fn column_of(table: Table, name: &str) -> String {
    format!("column {} of {table}", remedy::quoted(name))
}

fn partition_of(table: Table, name: &str) -> String {
    format!("partition {} of {table}", beside(table, name))
}

fn drop_index(table: Table, row: &IndexRow) -> String {
    remedy::drop_index(table, &row.name, row.constraint.as_deref())
}

pub(super) fn looking(table: Table) -> impl FnOnce(sqlx::Error) -> Error {
    Error::database(Operation::Inspect(table.to_string()))
}
