//! The indexes that lookups need: downwards when documents are built, upwards when the documents
//! of changed rows are looked for.

use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::catalog::{Kind, Relation};
use crate::ops::check::walk::{Text, Walk};
use crate::schema::naming::{column_name, table_name as name};
use crate::schema::{OrderBy, Table};
use crate::sql::probe;

impl Walk<'_, '_> {
    /// Rows are found by `column` when documents are built.
    pub(crate) fn lookup(
        &mut self,
        rows: &Relation,
        table: Table,
        column: &'static str,
        path: &str,
        order: &[OrderBy],
    ) {
        self.index(rows, (table, column), path, order, || {
            "each document reads the whole table".to_owned()
        });
    }

    /// Rows are found by `column` when those that they refer to have changed.
    pub(crate) fn lookup_upwards(
        &mut self,
        rows: &Relation,
        table: Table,
        column: &'static str,
        path: &str,
        changed: Table,
    ) {
        self.index(rows, (table, column), path, &[], || {
            format!(
                "to find the documents that depend on a row of {}, `dependents` reads the whole \
                 table",
                name(changed)
            )
        });
    }

    /// Rows are found by a column; `otherwise` says what is slow without an index.
    fn index(
        &mut self,
        rows: &Relation,
        (table, column): (Table, &'static str),
        path: &str,
        order: &[OrderBy],
        otherwise: impl FnOnce() -> String,
    ) {
        if !matches!(rows.kind, Kind::Table | Kind::Materialized) {
            return;
        }
        let mut why = String::new();
        let mut remedy = None;
        for index in rows.indexes_of(column) {
            if !index.valid {
                why = format!("; {} is not valid", index.name);
                remedy = Some(probe::reindex(&index.schema, &index.name));
            } else if index.partial {
                why = format!("; {} has not all rows", index.name);
            } else if index.finds_equal {
                return;
            }
        }
        let shown = column_name(table, column);
        let text = Text::new(
            format!(
                "no index of {} begins with `{column}`, so {}{why}",
                name(table),
                otherwise()
            ),
            [Remedy::Sql(remedy.unwrap_or_else(|| {
                probe::create_index(table, column, order)
            }))],
        );
        self.warning(path, FindingKind::MissingIndex, shown, text);
    }
}
