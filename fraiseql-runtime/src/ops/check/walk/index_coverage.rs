//! The indexes that lookups need: downward when documents are built, upward when the documents of
//! changed rows are found.

use crate::error::check_report::FindingKind;
use crate::ops::check::catalog::{CatalogRelation, RelationKind};
use crate::ops::check::diagnostic::Diagnostic;
use crate::ops::check::walk::state::Walk;
use crate::schema::naming::{column_name, table_name};
use crate::schema::{OrderBy, Table};
use crate::sql::probe;

impl Walk<'_, '_> {
    /// Rows are looked up by `column` when documents are built.
    pub(super) fn lookup(
        &mut self,
        rows: &CatalogRelation,
        table: Table,
        column: &'static str,
        path: &str,
        order: &[OrderBy],
    ) {
        self.index_on(rows, (table, column), path, order, || {
            "each document reads the whole table".to_owned()
        });
    }

    /// Rows are looked up by `column` when the rows of `changed`, which they refer to, change.
    pub(super) fn upward_lookup(
        &mut self,
        rows: &CatalogRelation,
        table: Table,
        column: &'static str,
        path: &str,
        changed: Table,
    ) {
        self.index_on(rows, (table, column), path, &[], || {
            format!(
                "to find the documents that depend on a row of {}, `dependents` reads the whole \
                 table",
                table_name(changed)
            )
        });
    }

    /// Reports a lookup without an index; `consequence` describes what is slow.
    fn index_on(
        &mut self,
        rows: &CatalogRelation,
        (table, column): (Table, &'static str),
        path: &str,
        order: &[OrderBy],
        consequence: impl FnOnce() -> String,
    ) {
        // The indexes of a view or a foreign table are not known.
        if !matches!(rows.kind, RelationKind::Table | RelationKind::Materialized) {
            return;
        }
        let mut unusable = String::new();
        let mut reindex = None;
        for index in rows.indexes_on(column) {
            if !index.valid {
                unusable = format!("; {} is not valid", index.name);
                reindex = Some(probe::reindex(&index.schema, &index.name));
            } else if index.partial {
                unusable = format!("; {} is partial", index.name);
            } else if index.finds_equal {
                return;
            }
        }
        let message = format!(
            "no index of {} begins with `{column}`, so {}{unusable}",
            table_name(table),
            consequence()
        );
        let remedy = reindex.unwrap_or_else(|| probe::create_index(table, column, order));
        self.report(
            path,
            Diagnostic::warning(
                FindingKind::MissingIndex,
                column_name(table, column),
                message,
            )
            .sql(remedy),
        );
    }
}
