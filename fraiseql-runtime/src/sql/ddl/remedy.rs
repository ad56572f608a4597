//! What a person may run where a view table differs from its struct. Nothing here is run by
//! this crate.

use crate::schema::Table;
use crate::sql::text::ident;

/// The name of something in the schema of a table: an index, a partition.
pub(crate) fn beside(table: Table, name: &str) -> String {
    qualified(table.schema, name)
}

pub(crate) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", ident(schema), ident(name))
}

pub(crate) fn quoted(name: &str) -> String {
    ident(name)
}

pub(crate) fn drop_column(table: Table, column: &str) -> String {
    format!("ALTER TABLE {table} DROP COLUMN {}", ident(column))
}

/// An index that belongs to a constraint goes with it.
pub(crate) fn drop_index(table: Table, index: &str, constraint: Option<&str>) -> String {
    match constraint {
        Some(constraint) => format!("ALTER TABLE {table} DROP CONSTRAINT {}", ident(constraint)),
        None => format!("DROP INDEX {}", beside(table, index)),
    }
}

/// `table` is quoted.
pub(crate) fn set_unlogged(table: &str, unlogged: bool) -> String {
    let to = if unlogged { "UNLOGGED" } else { "LOGGED" };
    format!("ALTER TABLE {table} SET {to}")
}

/// `table` is quoted.
pub(crate) fn set_fillfactor(table: &str, percent: u8) -> String {
    format!("ALTER TABLE {table} SET (fillfactor = {percent})")
}

pub(crate) fn drop_table(table: Table) -> String {
    format!("DROP TABLE {table}")
}
