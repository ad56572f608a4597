//! The row of the view table in a list statement.

use crate::sql::text;

/// The alias of the view table.
pub(super) const V: &str = "v";

/// A column of the view table.
pub(super) fn column(name: &str) -> String {
    text::column(V, name)
}
