//! Constraints on identifiers that `fraiseql-runtime` states as well.
//!
//! The derives cannot depend on that crate, so the constants are written twice. Tests there, in
//! `schema::bookkeeping`, derive a view with these names and compare.

/// The maximum number of columns of a key: that of the tuples that are keys.
pub(crate) const MAX_KEY_COLUMNS: usize = 6;

/// The maximum length of an identifier. PostgreSQL truncates longer ones without an error.
pub(crate) const MAX_IDENTIFIER_BYTES: usize = 63;

/// The columns that every view table has, in addition to the key and the promoted columns.
pub(crate) const BOOKKEEPING_COLUMNS: [&str; 5] =
    ["data", "version", "synced_xid", "updated_at", "shape"];

/// The columns that PostgreSQL adds to every table. Its tables have no column of these names, but a
/// field with `expr` can have one.
pub(crate) const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// The name in the view table of a key column or a promoted column: the name of another column that
/// every such table has gets the prefix `doc_`.
pub(crate) fn stored_name(column: &str) -> String {
    if BOOKKEEPING_COLUMNS.contains(&column) || SYSTEM_COLUMNS.contains(&column) {
        return format!("doc_{column}");
    }
    column.to_owned()
}
