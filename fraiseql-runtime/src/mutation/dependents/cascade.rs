//! Finds the rows that are deleted or changed together with deleted rows, by the foreign keys of
//! the database. It has to look before the rows are gone, or through a connection that still sees
//! them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sqlx::PgConnection;

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::mutation::dependents::foreign_keys::{ForeignKeyCache, KeyColumns, ReferenceColumn};
use crate::schema::TableName;
use crate::schema::key::Keys;

/// Rows of one table that are deleted or changed, by the values of a column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CascadedRows {
    pub(crate) table: TableName,
    /// The foreign key's column.
    pub(crate) column: String,
    /// Its values. Some of them may have no rows.
    pub(crate) keys: Keys,
}

/// The rows that are deleted or changed together with deleted ones.
#[derive(Debug, Default)]
pub(crate) struct Cascades {
    pub(crate) rows: Vec<CascadedRows>,
    /// Foreign keys that were met and not followed: `"public"."tb_line" (tb_line_order_fk)`.
    pub(crate) not_followed: BTreeSet<String>,
    /// There are more rows than the limit.
    pub(crate) truncated: bool,
}

/// The rows that are deleted or changed if the rows of `table` are deleted whose `column` is one of
/// `keys`: those that reference them, and if these are deleted too, those that reference these,
/// and so on. The rows of `keys` themselves are not among them.
///
/// Stops if it finds more than `limit` values.
pub(crate) async fn cascades(
    cache: &ForeignKeyCache,
    connection: &mut PgConnection,
    table: TableName,
    column: &str,
    keys: &Keys,
    limit: usize,
) -> Result<Cascades> {
    let foreign_keys = cache.get(connection).await?;
    let mut found = Cascades::default();
    // The values whose referencing rows were found. References may form a circle: it ends because
    // a value is followed once.
    let mut seen: BTreeMap<ReferenceColumn, Keys> = BTreeMap::new();
    let mut total = 0;
    let mut queue = VecDeque::from([(table, column.to_owned(), keys.clone())]);
    while let Some((table, column, keys)) = queue.pop_front() {
        for foreign_key in foreign_keys.referencing(&table) {
            let Some(columns) = &foreign_key.columns else {
                let (child, name) = (&foreign_key.child, &foreign_key.name);
                found.not_followed.insert(format!("{child} ({name})"));
                continue;
            };
            // The rows are known by `column`. A foreign key may reference another one.
            let mut values = if columns.key == column {
                keys.clone()
            } else {
                referenced_values(cache, connection, &table, (&column, &keys), columns, limit)
                    .await?
            };
            let child_column = (
                foreign_key.child.clone(),
                columns.fk.clone(),
                values.sql_type(),
            );
            if let Some(known) = seen.get(&child_column) {
                values.remove(known);
            }
            total += values.len();
            if total > limit {
                found.truncated = true;
                return Ok(found.with_rows(seen));
            }
            if values.is_empty() {
                continue;
            }
            match seen.get_mut(&child_column) {
                Some(known) => known.unite(values.clone()),
                None => {
                    seen.insert(child_column, values.clone());
                }
            }
            // Rows that are only changed, as by SET NULL, have no effect on rows that reference
            // them.
            if foreign_key.deletes {
                queue.push_back((foreign_key.child.clone(), columns.fk.clone(), values));
            }
        }
    }
    Ok(found.with_rows(seen))
}

impl Cascades {
    fn with_rows(mut self, seen: BTreeMap<ReferenceColumn, Keys>) -> Self {
        let rows = seen
            .into_iter()
            .map(|((table, column, _), keys)| CascadedRows {
                table,
                column,
                keys,
            });
        self.rows = rows.collect();
        self
    }
}

/// The values of a foreign key's referenced column in the rows of `table` whose column `by` is one
/// of `rows`.
async fn referenced_values(
    cache: &ForeignKeyCache,
    connection: &mut PgConnection,
    table: &TableName,
    (by, rows): (&str, &Keys),
    columns: &KeyColumns,
    limit: usize,
) -> Result<Keys> {
    let sql = cache.values_statement(table, by, rows.sql_type(), columns);
    let one_more = i64::try_from(limit).map_or(i64::MAX, |limit| limit.saturating_add(1));
    Statement::composed(sql, Operation::FollowForeignKey(by.to_owned()))
        .on(table.clone())
        .bind_keys(rows)
        .bind(one_more)
        .fetch_one(connection, |row| columns.ty.read(row, 0))
        .await
}
