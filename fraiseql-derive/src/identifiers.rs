//! Constraints on identifiers that `fraiseql-runtime` states as well.
//!
//! The derives cannot depend on that crate, so the constants are written twice. Tests there, in
//! `schema::bookkeeping`, derive a view with these names and compare.

/// The maximum length of an identifier. PostgreSQL truncates longer ones without an error.
pub(crate) const MAX_IDENTIFIER_BYTES: usize = 63;

/// The columns that every view table has, in addition to the key and the promoted columns.
pub(crate) const BOOKKEEPING_COLUMNS: [&str; 5] =
    ["data", "version", "synced_xid", "updated_at", "shape"];
