//! The foreign keys of a database that act on a delete, as its catalog has them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::db::mutex::lock;
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::mutation::dependents::statement_cache::StatementCache;
use crate::schema::TableName;
use crate::schema::key::Keys;
use crate::sql::cascade;

/// A column of a table, and the SQL type of its values.
pub(super) type ReferenceColumn = (TableName, String, &'static str);

/// A foreign key that acts when a row that it references is deleted: `ON DELETE CASCADE`,
/// `SET NULL` or `SET DEFAULT`.
#[derive(Debug)]
pub(super) struct CascadingKey {
    pub(super) name: String,
    /// The referencing table.
    pub(super) child: TableName,
    /// Whether it deletes the referencing rows. Otherwise it changes them.
    pub(super) deletes: bool,
    /// None if it has several columns, or a type that keys do not have: then it cannot be followed.
    pub(super) columns: Option<KeyColumns>,
}

/// The columns of a foreign key of one column.
#[derive(Debug)]
pub(super) struct KeyColumns {
    /// The referencing column.
    pub(super) fk: String,
    /// The referenced column.
    pub(super) key: String,
    /// An empty list of keys of the referenced column's type.
    pub(super) ty: Keys,
}

/// The foreign keys of a database, by the table that they reference.
#[derive(Debug, Default)]
pub(super) struct ForeignKeys(BTreeMap<TableName, Vec<CascadingKey>>);

/// The foreign keys of a read model's database, loaded on first use, and the statements that
/// follow them.
#[derive(Debug, Default)]
pub(crate) struct ForeignKeyCache {
    loaded: Mutex<Option<Arc<ForeignKeys>>>,
    statements: StatementCache<ValuesKey>,
}

/// What the text of a statement depends on that reads values: the column that rows are found by,
/// the column that is read, and its type.
type ValuesKey = (ReferenceColumn, String, &'static str);

impl ForeignKeyCache {
    pub(super) async fn get(&self, connection: &mut PgConnection) -> Result<Arc<ForeignKeys>> {
        let loaded = lock(&self.loaded).clone();
        if let Some(loaded) = loaded {
            return Ok(loaded);
        }
        // The mutex is not held meanwhile. Two mutations may both load; the results are the same.
        let loaded = Arc::new(ForeignKeys::load(connection).await?);
        *lock(&self.loaded) = Some(Arc::clone(&loaded));
        Ok(loaded)
    }

    /// The statement that reads the values by which the rows of a foreign key reference the rows
    /// of `table` whose column `by` has given values.
    pub(super) fn values_statement(
        &self,
        table: &TableName,
        by: &str,
        ty: &'static str,
        columns: &KeyColumns,
    ) -> Arc<str> {
        let (key, key_ty) = (&columns.key, columns.ty.sql_type());
        let cache_key = ((table.clone(), by.to_owned(), ty), key.clone(), key_ty);
        let table = (&*table.schema, &*table.name);
        self.statements
            .get(cache_key, || cascade::values(table, by, ty, key, key_ty))
    }
}

impl ForeignKeys {
    async fn load(connection: &mut PgConnection) -> Result<Self> {
        let rows = Statement::new(cascade::FOREIGN_KEYS, Operation::ReadForeignKeys)
            .fetch_all(connection)
            .await?;
        let mut keys = Self::default();
        for row in &rows {
            let (parent, foreign_key) =
                read(row).map_err(Error::database(Operation::ReadForeignKeys))?;
            keys.0.entry(parent).or_default().push(foreign_key);
        }
        Ok(keys)
    }

    /// The foreign keys that reference `table`.
    pub(super) fn referencing(&self, table: &TableName) -> &[CascadingKey] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }
}

/// A foreign key, and the table that it references.
fn read(row: &PgRow) -> sqlx::Result<(TableName, CascadingKey)> {
    let table = |schema: &str, name: &str| -> sqlx::Result<TableName> {
        Ok(TableName {
            schema: row.try_get::<String, _>(schema)?.into(),
            name: row.try_get::<String, _>(name)?.into(),
        })
    };
    let fk: Option<String> = row.try_get("fk")?;
    let key: Option<String> = row.try_get("key")?;
    let ty: Option<String> = row.try_get("key_type")?;
    let columns = match (fk, key, ty.as_deref().and_then(Keys::empty_of_type)) {
        (Some(fk), Some(key), Some(ty)) => Some(KeyColumns { fk, key, ty }),
        _ => None,
    };
    let foreign_key = CascadingKey {
        name: row.try_get("name")?,
        child: table("child_schema", "child_name")?,
        deletes: row.try_get("deletes")?,
        columns,
    };
    Ok((table("parent_schema", "parent_name")?, foreign_key))
}
