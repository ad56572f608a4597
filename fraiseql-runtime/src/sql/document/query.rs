//! The whole document query, around the joins and the record of the root row.

use super::composer::Composer;
use super::from::write_from;
use crate::schema::Shape;
use crate::sql::text::Sql;

/// The outermost SELECT.
pub(super) struct RootSelect<'a> {
    pub(super) shape: &'static Shape,
    /// The alias of the root row.
    pub(super) root: &'a str,
    /// The alias of the document, as a record.
    pub(super) document: &'a str,
    /// The expressions after SELECT.
    pub(super) columns: Vec<String>,
    /// Whether the document is computed once and not again in each expression that uses one of
    /// its values.
    pub(super) fenced: bool,
}

impl Composer {
    /// Writes the query. `conditions` yields the WHERE conditions, given the alias of the root
    /// row.
    pub(super) fn write(
        mut self,
        sql: &mut Sql,
        select: RootSelect<'_>,
        conditions: impl FnOnce(&str) -> Vec<String>,
    ) {
        let RootSelect {
            shape,
            root,
            document,
            columns,
            fenced,
        } = select;
        let joins = self.joins(shape, root, "");
        let record = self.record(shape, root, "", &joins);
        sql.line("SELECT");
        sql.block_list(columns);
        write_from(sql, shape.table, root, shape.filter.as_slice());
        joins.write(sql);
        sql.block("CROSS JOIN LATERAL (", format!(") AS {document}"), |sql| {
            record.write(sql);
            if fenced {
                // The planner does not flatten a sub-select with OFFSET.
                sql.line("OFFSET 0");
            }
        });
        sql.conditions("WHERE", &conditions(root));
    }
}
