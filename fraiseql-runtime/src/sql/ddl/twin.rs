//! The twin of a view table: an empty temporary table with the same columns.
//!
//! A migration creates the wanted indexes on it, and compares their definitions in the catalog with
//! those of the existing indexes. PostgreSQL normalizes both, so that equal ones have equal texts.

use crate::sql::ddl::table::ColumnDdl;
use crate::sql::text::ident;

/// The name of the twin.
pub(crate) const TWIN: &str = "pg_temp.fraiseql_twin";

/// Creates the twin. The migration rolls it back.
pub(crate) fn create_twin(columns: &[ColumnDdl]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| format!("{} {}", ident(&column.name), column.ty))
        .collect();
    format!("CREATE TABLE {TWIN} ({})", columns.join(", "))
}
