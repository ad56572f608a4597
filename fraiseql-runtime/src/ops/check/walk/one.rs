//! Compares a `one` field: its foreign key, the row that it refers to, and whether that row always
//! exists.

use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::catalog::{CatalogRelation, PgType, RelationColumn, RelationKind};
use crate::ops::check::diagnostic::Diagnostic;
use crate::ops::check::walk::key::partitioned_otherwise;
use crate::ops::check::walk::nullability::excludes_null;
use crate::ops::check::walk::state::Walk;
use crate::schema::naming::column_name;
use crate::schema::{One, Shape};
use crate::sql::probe;

impl<'a> Walk<'_, 'a> {
    pub(super) fn one(
        &mut self,
        relation: Option<&'a CatalogRelation>,
        shape: &'static Shape,
        one: &'static One,
        path: &str,
    ) {
        let part = one.shape.get();
        let key = one.key.unwrap_or(part.key_columns());
        let fk_columns = relation.and_then(|it| self.columns(it, shape.table, one.fk, path, "fk"));
        let part_relation = self.table(part.table, path);
        let key_columns =
            part_relation.and_then(|it| self.columns(it, part.table, key, path, "key"));
        if let (Some(rows), Some(_)) = (relation, &fk_columns) {
            self.upward_lookup(rows, shape.table, one.fk, path, part.table);
        }
        if let (Some(part_rows), Some(_)) = (part_relation, &key_columns)
            && matches!(
                part_rows.kind,
                RelationKind::Table | RelationKind::Materialized
            )
            && !part_rows.is_unique(key.names())
        {
            let shown = column_name(part.table, key);
            let message = format!(
                "{shown} identifies the row of a `one`, but is not unique: if two rows have the \
                 same value, the row that refers to them is doubled: a new document cannot be \
                 written, a stored document contains either of the two, a list contains the item \
                 twice"
            );
            let diagnostic = Diagnostic::error(FindingKind::NotUnique, shown, message);
            self.report(
                path,
                if part_rows.can_be_unique(key.names()) {
                    diagnostic.sql(probe::create_unique_index(part.table, key.names()))
                } else {
                    diagnostic.advice(partitioned_otherwise(part_rows, key))
                },
            );
        }
        if let (Some(rows), Some(fk), Some(part_rows), Some(part_key)) =
            (relation, &fk_columns, part_relation, &key_columns)
        {
            // The foreign key of a table is not one of the tables that inherit from it.
            let is_guaranteed =
                rows.refers(one.fk.names(), part_rows, key.names()) && !rows.is_inherited();
            let of_fk = (shape.table, fk.as_slice());
            let of_key = (part.table, part_key.as_slice());
            let is_wrong = self.wrong_key(rows, of_fk, part_rows, of_key, path);
            if !is_guaranteed && !is_wrong {
                self.comparisons(of_fk, of_key, path);
            }
            // The catalog has no constraints of a view, which is reported once.
            if !one.nullable && rows.kind == RelationKind::Table {
                // If there can be no foreign key, another finding gives the reason.
                let can_have_key = part_rows.kind == RelationKind::Table
                    && part_rows.is_unique(key.names())
                    && !is_wrong
                    && !rows.is_inherited()
                    && fk
                        .iter()
                        .zip(part_key)
                        .all(|(fk, key)| self.have_one_type(fk, key));
                self.required_row(shape, one, fk, is_guaranteed || !can_have_key, path);
            }
        }
        if let (false, Some(filter)) = (one.nullable, part.filter) {
            let message = format!(
                "{} excludes rows (filter = \"{filter}\"), and the field is not an Option: a \
                 document that refers to such a row cannot be read",
                part.name
            );
            self.report(
                path,
                Diagnostic::warning(FindingKind::FilteredOne, path, message)
                    .rust(format!("Option<{}>", part.name)),
            );
        }
        self.shape(part, path, false, None);
    }

    /// Whether two columns have types between which there can be a foreign key.
    fn have_one_type(&self, fk: &RelationColumn, key: &RelationColumn) -> bool {
        const FAMILIES: [&[&str]; 2] = [&["int2", "int4", "int8"], &["text", "varchar", "bpchar"]];
        let catalog = self.findings.catalog;
        let (Some(fk), Some(key)) = (catalog.base(fk.type_oid), catalog.base(key.type_oid)) else {
            return false;
        };
        let is_in = |family: &[&str]| {
            let has = |ty: &PgType| ty.built_in && family.contains(&ty.name.as_str());
            has(fk) && has(key)
        };
        fk.oid == key.oid || FAMILIES.into_iter().any(is_in)
    }

    /// Reports a `one` that is not an `Option`, and whose row can be missing.
    fn required_row(
        &mut self,
        shape: &Shape,
        one: &One,
        fk: &[&RelationColumn],
        is_guaranteed: bool,
        path: &str,
    ) {
        let part = one.shape.get();
        let option = format!("Option<{}>", part.name);
        let is_excluded = |name: &str| {
            let filter = shape.filter;
            filter.is_some_and(|filter| excludes_null(filter, name))
        };
        let catalog = self.findings.catalog;
        let mut nullable = one.fk.names().iter().zip(fk);
        let nullable = nullable
            .find(|(name, column)| !catalog.never_null(column) && !is_excluded(name))
            .map(|(name, _)| *name);
        if let Some(name) = nullable {
            let shown = column_name(shape.table, name);
            let message = format!(
                "{shown} can be null, and the field is not an Option: a document without the row \
                 cannot be read"
            );
            self.report(
                path,
                Diagnostic::error(FindingKind::NullableLink, shown, message)
                    .rust(option)
                    .sql(probe::set_not_null(shape.table, name)),
            );
        } else if !is_guaranteed {
            let key = one.key.unwrap_or(part.key_columns());
            let shown = column_name(shape.table, one.fk);
            let message = format!(
                "no foreign key guarantees the row of {shown}, and the field is not an Option: a \
                 document without the row cannot be read"
            );
            let add_key = probe::add_foreign_key(shape.table, one.fk, part.table, key);
            self.report(
                path,
                Diagnostic::warning(FindingKind::NoForeignKey, shown, message)
                    .remedies([Remedy::Sql(add_key), Remedy::Rust(option)]),
            );
        }
    }
}
