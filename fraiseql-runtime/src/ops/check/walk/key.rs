//! Checks the key of the documents: its type, its collation, and that it is unique.

use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::catalog::{CatalogRelation, RelationColumn, RelationKind};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::ops::check::type_compat;
use crate::ops::check::type_compat::Compatibility;
use crate::ops::check::walk::state::Walk;
use crate::schema::naming::{column_name, table_name};
use crate::schema::scalar::ScalarType;
use crate::schema::{Columns, Shape, Source, Table};
use crate::sql::probe;

impl<'a> Walk<'_, 'a> {
    /// Checks that each row of the base table has a key, and no two rows have the same.
    pub(super) fn root_key(&mut self, relation: &'a CatalogRelation) {
        let shape = self.view.shape;
        let key = self.view.key;
        let mut columns = Vec::new();
        for (name, ty) in key.iter() {
            let Some(column) = relation.column(name) else {
                return; // The field of the key reports it.
            };
            let path = self.path_of_key(shape, name);
            match type_compat::key(self.findings.catalog, ty, column.type_oid) {
                Compatibility::Fits => {}
                Compatibility::UnknownType => self.unknown_type(&path, ty),
                Compatibility::Differs(why) => {
                    let diagnostic = self.key_type(&path, ty, shape.table, column, why);
                    self.report(&path, diagnostic);
                }
            }
            if column.is_nondeterministic {
                self.nondeterministic_key(relation, column, name, &path);
            }
            columns.push(column);
        }
        let first = key.columns.names().first().copied().unwrap_or_default();
        let path = self.path_of_key(shape, first);
        if relation.kind == RelationKind::Table && !relation.is_unique(key.columns.names()) {
            self.key_without_index(relation, &columns, &path);
        } else if relation.is_inherited() {
            self.inherited_key(relation, &path);
        }
    }

    /// A unique index is about the rows of one table only.
    fn inherited_key(&mut self, relation: &CatalogRelation, path: &str) {
        let (table, key) = (self.view.shape.table, self.view.key.columns);
        let shown = column_name(table, key);
        let children: Vec<String> = relation
            .children
            .iter()
            .map(|child| child.table.to_string())
            .collect();
        let message = format!(
            "{shown} is the key of the documents, and an index makes it unique in one table, but not \
             in {} together with the tables that inherit from it: {}; two rows with one key cannot be \
             one document",
            table_name(table),
            children.join(", ")
        );
        self.report(
            path,
            Diagnostic::warning(FindingKind::NotUnique, shown, message).advice(
                "use a partitioned table; or take the keys of all of these tables from one sequence, \
                 and accept this warning",
            ),
        );
    }

    fn key_type(
        &self,
        path: &str,
        ty: &ScalarType,
        table: Table,
        column: &RelationColumn,
        why: &str,
    ) -> Diagnostic {
        let rust_type = type_compat::rust_type(ty);
        let better_type = type_compat::rust_type_for(self.findings.catalog, column.type_oid, false)
            .filter(|better| *better != rust_type);
        let message = format!(
            "{} is {}, and the key is {rust_type} ({}): {why}",
            column_name(table, &column.name),
            self.type_of(column),
            ty.sql
        );
        Diagnostic::error(FindingKind::KeyType, path, message)
            .remedies(better_type.map(Remedy::Rust))
            .remedies(self.set_type(table, column, ty.sql))
            .advice("use another column, or another type, as the key")
            .breaks(Breaks::Documents)
    }

    fn nondeterministic_key(
        &mut self,
        relation: &CatalogRelation,
        column: &RelationColumn,
        name: &'static str,
        path: &str,
    ) {
        let table = self.view.shape.table;
        let message = format!(
            "{} is the key of the documents, and has a nondeterministic collation: keys that \
             PostgreSQL treats as equal and Rust does not, such as 'A' and 'a', would be confused",
            column_name(table, &column.name)
        );
        let set_collation = (relation.kind == RelationKind::Table)
            .then(|| Remedy::Sql(probe::set_collation(table, name, &column.type_sql)));
        self.report(
            path,
            Diagnostic::error(FindingKind::KeyType, path, message)
                .remedies(set_collation)
                .advice("use another column as the key")
                .breaks(Breaks::Documents),
        );
    }

    fn key_without_index(
        &mut self,
        relation: &CatalogRelation,
        columns: &[&RelationColumn],
        path: &str,
    ) {
        let table = self.view.shape.table;
        let key = self.view.key.columns;
        let catalog = self.findings.catalog;
        let never_null = columns.iter().all(|column| catalog.never_null(column));
        let (what, remedy) = if never_null {
            ("unique", probe::create_unique_index(table, key.names()))
        } else if relation.has_primary_key() {
            (
                "unique, and can be null",
                probe::create_unique_index(table, key.names()),
            )
        } else {
            // A primary key repairs both, so the nulls are not reported again.
            let names = key.names().iter();
            self.reported_null.extend(names.map(|&name| (table, name)));
            (
                "unique, and can be null",
                probe::add_primary_key(table, key.names()),
            )
        };
        let shown = column_name(table, key);
        let message = format!(
            "{shown} is the key of the documents, but is not {what}: two rows with one key cannot \
             be one document"
        );
        let diagnostic = Diagnostic::error(FindingKind::NotUnique, shown, message);
        self.report(
            path,
            if relation.can_be_unique(key.names()) {
                diagnostic.sql(remedy)
            } else {
                diagnostic.advice(partitioned_otherwise(relation, key))
            },
        );
    }

    /// The field that is the key: `Post.id`.
    fn path_of_key(&self, shape: &Shape, key: &str) -> String {
        let field = shape
            .fields
            .iter()
            .find(|field| matches!(field.source, Source::Column { column, .. } if column == key));
        match field {
            Some(field) => format!("{}.{}", shape.name, field.name),
            None => shape.name.to_owned(),
        }
    }
}

/// What to do about a column that cannot be unique, because the table is partitioned by others.
pub(super) fn partitioned_otherwise(relation: &CatalogRelation, columns: Columns) -> String {
    format!(
        "the table is partitioned by {}, and a unique index has to contain that: partition it by \
         `{columns}`, or use another column",
        relation.partitioned_by.join(", ")
    )
}
