//! The statements that a migration proposes if a view table differs from its struct. This crate
//! runs none of them: they drop or rewrite data.

use crate::schema::Table;
use crate::sql::text::ident;

/// The quoted name of an index or a partition in the schema of a table.
pub(crate) fn in_schema_of(table: Table, name: &str) -> String {
    qualified(table.schema, name)
}

/// A quoted name with its schema.
pub(crate) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", ident(schema), ident(name))
}

/// A quoted name.
pub(crate) fn quoted(name: &str) -> String {
    ident(name)
}

pub(crate) fn drop_column(table: Table, column: &str) -> String {
    format!("ALTER TABLE {table} DROP COLUMN {}", ident(column))
}

/// Drops an index, or the constraint that it belongs to: PostgreSQL does not drop such an index
/// alone.
pub(crate) fn drop_index(table: Table, index: &str, constraint: Option<&str>) -> String {
    match constraint {
        Some(constraint) => format!("ALTER TABLE {table} DROP CONSTRAINT {}", ident(constraint)),
        None => format!("DROP INDEX {}", in_schema_of(table, index)),
    }
}

/// Changes whether a table is logged. `table` is a quoted name.
pub(crate) fn set_unlogged(table: &str, unlogged: bool) -> String {
    let to = if unlogged { "UNLOGGED" } else { "LOGGED" };
    format!("ALTER TABLE {table} SET {to}")
}

/// Changes the fillfactor of a table. `table` is a quoted name.
pub(crate) fn set_fillfactor(table: &str, percent: u8) -> String {
    format!("ALTER TABLE {table} SET (fillfactor = {percent})")
}

pub(crate) fn drop_table(table: Table) -> String {
    format!("DROP TABLE {table}")
}
