//! Rows of the catalog queries about a view table.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::schema::Table;
use crate::sql::ddl::catalog;

/// Declares structs that are read from rows: the name of a field is the name of its column.
macro_rules! rows {
    ($($(#[$doc:meta])* struct $name:ident { $($field:ident: $ty:ty,)* })*) => {$(
        $(#[$doc])*
        pub(super) struct $name { $(pub(super) $field: $ty,)* }

        impl $name {
            pub(super) fn read(row: &PgRow) -> sqlx::Result<Self> {
                Ok(Self { $($field: row.try_get(stringify!($field))?,)* })
            }
        }
    )*};
}

rows! {
    /// See [`catalog::TABLE`].
    struct TableRow {
        kind: String,
        comment: Option<String>,
        unlogged: bool,
        fillfactor: i32,
        strategy: Option<String>,
        partition_key: Vec<String>,
    }

    /// See [`catalog::COLUMNS`].
    struct ColumnRow {
        name: String,
        type_name: String,
        same: Option<bool>,
    }

    /// See [`catalog::INDEXES`].
    struct IndexRow {
        name: String,
        valid: bool,
        comment: Option<String>,
        constraint: Option<String>,
    }

    /// See [`FOUND`](crate::sql::rebuild::FOUND).
    struct BookkeepingState {
        exists: bool,
        readable: bool,
        writable: bool,
        has_view: bool,
    }

    /// See [`catalog::PARTITIONS`].
    struct PartitionRow {
        schema: String,
        name: String,
        unlogged: bool,
        fillfactor: i32,
        bound: Option<String>,
    }
}

/// Normalized definitions of indexes, by name.
pub(super) type Definitions = HashMap<String, String>;

/// The definitions of the indexes of a table; `table` is quoted.
pub(super) async fn definitions(
    connection: &mut PgConnection,
    table: &str,
    operation: Operation,
) -> Result<Definitions> {
    let rows = Statement::new(catalog::DEFINITIONS, operation)
        .bind(table)
        .fetch_each(connection, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .await?;
    Ok(rows.into_iter().collect())
}

impl TableRow {
    /// The relation of a name.
    pub(super) async fn find(connection: &mut PgConnection, table: Table) -> Result<Option<Self>> {
        Statement::new(catalog::TABLE, Operation::Inspect(table.to_string()))
            .bind(table.to_string())
            .fetch_optional(connection, Self::read)
            .await
    }

    /// Refuses a relation of another kind than `kinds`, which are letters of `pg_class.relkind`.
    pub(super) fn is_of_kind(
        &self,
        kinds: &str,
        table: Table,
        storage: &'static str,
    ) -> Result<()> {
        if kinds.contains(&self.kind) {
            return Ok(());
        }
        let (found, keyword) = match self.kind.as_str() {
            "m" => ("a materialized view", "MATERIALIZED VIEW"),
            "v" => ("a view", "VIEW"),
            "f" => ("a foreign table", "FOREIGN TABLE"),
            _ => ("a table", "TABLE"),
        };
        Err(Error::OtherStorage {
            table,
            found,
            keyword,
            storage,
        })
    }
}
