//! The FROM clause of a base table.

use crate::schema::Table;
use crate::sql::fragment::fragment;
use crate::sql::text::Sql;

/// Writes `FROM table AS row`, with the rows that match all `filters`.
///
/// A filter is evaluated in a sub-select of its own: an unqualified column in it then means a
/// column of this table, because no other table is in scope. The planner flattens the sub-select.
pub(crate) fn write_from(sql: &mut Sql, table: Table, row: &str, filters: &[&str]) {
    if filters.is_empty() {
        sql.line(format!("FROM {table} AS {row}"));
        return;
    }
    sql.block("FROM (", format!(") AS {row}"), |sql| {
        sql.line("SELECT *");
        sql.line(format!("FROM {table} AS {row}"));
        let conditions: Vec<String> = filters
            .iter()
            .map(|filter| format!("({})", fragment(filter, row)))
            .collect();
        sql.conditions("WHERE", &conditions);
    });
}
