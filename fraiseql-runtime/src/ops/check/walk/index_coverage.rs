//! The indexes that lookups need: downward when documents are built, upward when the documents of
//! changed rows are found.

use crate::error::check_report::FindingKind;
use crate::ops::check::catalog::{CatalogRelation, RelationIndex, RelationKind, indexes_on};
use crate::ops::check::diagnostic::Diagnostic;
use crate::ops::check::walk::state::Walk;
use crate::schema::naming::{column_name, table_name};
use crate::schema::{Columns, OrderBy, Table};
use crate::sql::probe;

impl Walk<'_, '_> {
    /// Rows are looked up by `columns` when documents are built.
    pub(super) fn lookup(
        &mut self,
        rows: &CatalogRelation,
        table: Table,
        columns: Columns,
        path: &str,
        order: &[OrderBy],
    ) {
        self.index_on(rows, (table, columns), path, order, || {
            "each document reads the whole table".to_owned()
        });
    }

    /// Rows are looked up by `columns` when the rows of `changed`, which they refer to, change.
    pub(super) fn upward_lookup(
        &mut self,
        rows: &CatalogRelation,
        table: Table,
        columns: Columns,
        path: &str,
        changed: Table,
    ) {
        self.index_on(rows, (table, columns), path, &[], || {
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
        (table, columns): (Table, Columns),
        path: &str,
        order: &[OrderBy],
        consequence: impl FnOnce() -> String,
    ) {
        // The indexes of a view or a foreign table are not known.
        if !matches!(rows.kind, RelationKind::Table | RelationKind::Materialized) {
            return;
        }
        let own = Coverage::of(&rows.indexes, columns);
        if own.is_found && !rows.is_inherited() {
            return;
        }
        // An index of a table does not find the rows of tables that inherit from it, and those of
        // partitions may have indexes without one of the whole table.
        let mut children = rows.children.iter().filter(|child| !child.is_foreign);
        let uncovered = children.find(|child| !Coverage::of(&child.indexes, columns).is_found);
        let has_own_rows = !rows.is_partitioned();
        let (uncovered, coverage) = match uncovered {
            _ if has_own_rows && !own.is_found => (None, own),
            Some(child) if rows.is_inherited() => {
                (Some(child), Coverage::of(&child.indexes, columns))
            }
            Some(_) => (None, own),
            None if rows.children.is_empty() => (None, own),
            None => return,
        };
        let shown = uncovered.map_or_else(
            || table_name(table),
            |child| {
                format!(
                    "{}, which inherits from {},",
                    child.table,
                    table_name(table)
                )
            },
        );
        let message = format!(
            "no index of {shown} begins with `{columns}`, so {}{}",
            consequence(),
            coverage.unusable
        );
        let create = || match uncovered {
            Some(child) => probe::create_index(&child.table, columns, order),
            None => probe::create_index(table, columns, order),
        };
        // An invalid index of a partitioned table lacks partitions, which REINDEX does not add.
        let reindex = coverage.reindex.filter(|_| !rows.is_partitioned());
        let subject = match uncovered {
            Some(child) => format!("{} {columns}", child.table),
            None => column_name(table, columns),
        };
        self.report(
            path,
            Diagnostic::warning(FindingKind::MissingIndex, subject, message)
                .sql(reindex.unwrap_or_else(create)),
        );
    }
}

/// Whether indexes of a table find rows by columns.
struct Coverage {
    is_found: bool,
    /// Why an index that begins with the columns does not; empty if there is none.
    unusable: String,
    /// The statement that repairs such an index.
    reindex: Option<String>,
}

impl Coverage {
    fn of(indexes: &[RelationIndex], columns: Columns) -> Self {
        let mut coverage = Self {
            is_found: false,
            unusable: String::new(),
            reindex: None,
        };
        for index in indexes_on(indexes, columns.names()) {
            if !index.valid {
                coverage.unusable = format!("; {} is not valid", index.name);
                coverage.reindex = Some(probe::reindex(&index.schema, &index.name));
            } else if index.partial {
                coverage.unusable = format!("; {} is partial", index.name);
            }
            coverage.is_found |= index.finds_rows();
        }
        coverage
    }
}
