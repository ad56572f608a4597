//! What there is of a view table, as the catalog tells it.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};

use crate::sql::ddl::catalog;

/// Structs that are read from rows, by the names of the columns.
macro_rules! rows {
    ($($(#[$doc:meta])* struct $name:ident { $($field:ident: $ty:ty,)* })*) => {$(
        $(#[$doc])*
        pub(super) struct $name { $(pub(super) $field: $ty,)* }

        impl FromRow<'_, PgRow> for $name {
            fn from_row(row: &PgRow) -> sqlx::Result<Self> {
                Ok(Self { $($field: row.try_get(stringify!($field))?,)* })
            }
        }
    )*};
}

rows! {
    /// See [`catalog::TABLE`].
    struct TableRow {
        unlogged: bool,
        fillfactor: i32,
        strategy: Option<String>,
        partition_key: Option<String>,
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
    struct Bookkeeping {
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

/// Indexes by their names, in a form that can be compared.
pub(super) type Definitions = HashMap<String, String>;

/// The definitions of the indexes of a table, whose name is quoted, by their names.
pub(super) async fn definitions(
    connection: &mut PgConnection,
    table: &str,
) -> sqlx::Result<Definitions> {
    let rows: Vec<(String, String)> = sqlx::query_as(catalog::DEFINITIONS)
        .bind(table)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().collect())
}
