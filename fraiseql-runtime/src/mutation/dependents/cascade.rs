//! Finds the rows that go or change with rows that are deleted, by the foreign keys of the
//! database. They are asked for before the rows are gone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::db::mutex::lock;
use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Operation, Result};
use crate::mutation::dependents::composed::Composed;
use crate::schema::TableName;
use crate::schema::key::Keys;
use crate::sql::cascade as sql;

/// A foreign key that does something when the row it refers to is deleted.
#[derive(Debug)]
struct ForeignKey {
    name: String,
    child: TableName,
    /// Whether it deletes its rows; else it changes them.
    deletes: bool,
    /// The columns that refer and are referred to, and the values' type. None where they are
    /// several, or their type is none that keys have.
    columns: Option<Columns>,
}

#[derive(Debug)]
struct Columns {
    fk: String,
    key: String,
    ty: Keys,
}

/// The foreign keys of a database, by the table that they refer to.
#[derive(Debug, Default)]
pub(crate) struct ForeignKeys(BTreeMap<TableName, Vec<ForeignKey>>);

/// The foreign keys of the database of a read model, once they were read, and the statements
/// that go along them.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    foreign_keys: Mutex<Option<Arc<ForeignKeys>>>,
    composed: Composed<Lookup>,
}

/// The values of a column, with its type, in rows.
type Lookup = (Rows, String, &'static str);

/// Rows that go or change, by a column of theirs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cascaded {
    pub(crate) table: TableName,
    /// The foreign key's column.
    pub(crate) column: String,
    /// Its values. There need not be rows for all of them.
    pub(crate) keys: Keys,
}

/// A table, a column, and the type of its values.
type Rows = (TableName, String, &'static str);

/// What goes or changes with deleted rows.
#[derive(Debug, Default)]
pub(crate) struct Cascades {
    pub(crate) rows: Vec<Cascaded>,
    /// Foreign keys that were met and not followed: `"public"."tb_line" (tb_line_order_fk)`.
    pub(crate) not_followed: BTreeSet<String>,
    /// There are more rows than were asked for.
    pub(crate) truncated: bool,
}

impl Cache {
    async fn get(&self, connection: &mut PgConnection) -> Result<Arc<ForeignKeys>> {
        let cached = lock(&self.foreign_keys).clone();
        if let Some(cached) = cached {
            return Ok(cached);
        }
        let loaded = Arc::new(ForeignKeys::load(connection).await?);
        *lock(&self.foreign_keys) = Some(Arc::clone(&loaded));
        Ok(loaded)
    }

    /// The statement that reads the values that children refer to such rows by.
    fn statement(
        &self,
        table: &TableName,
        by: &str,
        ty: &'static str,
        columns: &Columns,
    ) -> Arc<str> {
        let (wanted, wanted_ty) = (&columns.key, columns.ty.sql());
        let key = (
            (table.clone(), by.to_owned(), ty),
            wanted.clone(),
            wanted_ty,
        );
        let table = (&*table.schema, &*table.name);
        self.composed
            .get(key, || sql::values(table, by, ty, wanted, wanted_ty))
    }
}

impl ForeignKeys {
    async fn load(connection: &mut PgConnection) -> Result<Self> {
        trace_statement(sql::FOREIGN_KEYS);
        let failed = || Error::database(Operation::ReadForeignKeys);
        let rows = sqlx::query(sql::FOREIGN_KEYS)
            .fetch_all(connection)
            .await
            .map_err(failed())?;
        let mut keys = Self::default();
        for row in &rows {
            let read = || -> sqlx::Result<(TableName, ForeignKey)> {
                let table = |schema: &str, name: &str| -> sqlx::Result<TableName> {
                    Ok(TableName {
                        schema: row.try_get::<String, _>(schema)?.into(),
                        name: row.try_get::<String, _>(name)?.into(),
                    })
                };
                let fk: Option<String> = row.try_get("fk")?;
                let key: Option<String> = row.try_get("key")?;
                let ty: Option<String> = row.try_get("key_type")?;
                let columns = match (fk, key, ty.as_deref().and_then(Keys::none_of)) {
                    (Some(fk), Some(key), Some(ty)) => Some(Columns { fk, key, ty }),
                    _ => None,
                };
                let foreign_key = ForeignKey {
                    name: row.try_get("name")?,
                    child: table("child_schema", "child_name")?,
                    deletes: row.try_get("deletes")?,
                    columns,
                };
                Ok((table("parent_schema", "parent_name")?, foreign_key))
            };
            let (parent, foreign_key) = read().map_err(failed())?;
            keys.0.entry(parent).or_default().push(foreign_key);
        }
        Ok(keys)
    }

    fn of(&self, table: &TableName) -> &[ForeignKey] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }
}

/// The rows that go or change when the rows of `table` are deleted whose `column` is one of
/// `keys`: those that refer to them, and where these are deleted too, those that refer to
/// these, and so on. The rows of `keys` themselves are not among them.
///
/// Looks at the rows as they are, so it is asked before they are deleted. Stops when more than
/// `limit` values were found.
pub(crate) async fn cascades(
    cache: &Cache,
    connection: &mut PgConnection,
    table: TableName,
    column: &str,
    keys: &Keys,
    limit: usize,
) -> Result<Cascades> {
    let foreign_keys = cache.get(connection).await?;
    let mut found = Cascades::default();
    // By table and column, the values whose rows were met.
    let mut seen: BTreeMap<Rows, Keys> = BTreeMap::new();
    let mut total = 0;
    let mut work = VecDeque::from([(table, column.to_owned(), keys.clone())]);
    while let Some((table, column, keys)) = work.pop_front() {
        for foreign_key in foreign_keys.of(&table) {
            let Some(columns) = &foreign_key.columns else {
                let place = &foreign_key.child;
                found
                    .not_followed
                    .insert(format!("{place} ({})", foreign_key.name));
                continue;
            };
            let mut next = if columns.key == column {
                keys.clone()
            } else {
                values(cache, connection, &table, (&column, &keys), columns, limit).await?
            };
            let place = (foreign_key.child.clone(), columns.fk.clone(), next.sql());
            if let Some(known) = seen.get(&place) {
                next.remove(known);
            }
            total += next.len();
            if total > limit {
                found.truncated = true;
                return Ok(found.with(seen));
            }
            if next.is_empty() {
                continue;
            }
            match seen.get_mut(&place) {
                Some(known) => known.unite(next.clone()),
                None => {
                    seen.insert(place, next.clone());
                }
            }
            if foreign_key.deletes {
                work.push_back((foreign_key.child.clone(), columns.fk.clone(), next));
            }
        }
    }
    Ok(found.with(seen))
}

impl Cascades {
    fn with(mut self, seen: BTreeMap<Rows, Keys>) -> Self {
        let rows = seen.into_iter().map(|((table, column, _), keys)| Cascaded {
            table,
            column,
            keys,
        });
        self.rows = rows.collect();
        self
    }
}

/// The values that the children of some rows refer to them by.
async fn values(
    cache: &Cache,
    connection: &mut PgConnection,
    table: &TableName,
    (by, rows): (&str, &Keys),
    columns: &Columns,
    limit: usize,
) -> Result<Keys> {
    let text = cache.statement(table, by, rows.sql(), columns);
    trace_statement(&text);
    let failed = Error::on_table(Operation::FollowForeignKey(by.to_owned()), table.clone());
    rows.bind(sqlx::query(AssertSqlSafe(text)))
        .bind(i64::try_from(limit).map_or(i64::MAX, |limit| limit.saturating_add(1)))
        .fetch_one(connection)
        .await
        .and_then(|row| columns.ty.read(&row, 0))
        .map_err(failed)
}
