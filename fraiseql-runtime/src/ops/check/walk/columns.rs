//! Checks the columns of base tables: that they exist, and that fields can hold their values.

use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::catalog::{CatalogRelation, RelationColumn, RelationKind};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::ops::check::enum_labels;
use crate::ops::check::server_checks::Question;
use crate::ops::check::type_compat;
use crate::ops::check::type_compat::Compatibility;
use crate::ops::check::walk::nullability::excludes_null;
use crate::ops::check::walk::state::{ColumnRole, Walk};
use crate::schema::naming::{column_name, did_you_mean, nearest_name, table_name};
use crate::schema::scalar::ScalarType;
use crate::schema::{Columns, Table};
use crate::sql::{document, probe};

/// The column of a field.
pub(super) struct FieldColumn<'w, 'a> {
    pub(super) relation: &'a CatalogRelation,
    pub(super) table: Table,
    pub(super) is_promoted: bool,
    pub(super) name: &'static str,
    /// The type of the field, or of its elements.
    pub(super) ty: ScalarType,
    /// Whether the field is a list of the values of several rows.
    pub(super) is_element: bool,
    pub(super) path: &'w str,
    /// The filters that every row of the document passes.
    pub(super) filters: [Option<&'static str>; 2],
    /// Whether it is the key of the documents.
    pub(super) is_root_key: bool,
}

impl<'a> Walk<'_, 'a> {
    /// A column of a base table. Reports it and returns `None` if it does not exist.
    pub(super) fn column(
        &mut self,
        relation: &'a CatalogRelation,
        table: Table,
        name: &'static str,
        path: &str,
        role: ColumnRole<'_>,
    ) -> Option<&'a RelationColumn> {
        if let Some(column) = relation.column(name) {
            self.usage(table).columns.insert(name);
            return Some(column);
        }
        let names = relation.columns.iter().map(|column| column.name.as_str());
        let similar = nearest_name(name, names);
        let remedy = match (similar, role) {
            (Some(similar), ColumnRole::Field(_)) => {
                Remedy::Rust(format!("#[tview(column = \"{similar}\")]"))
            }
            (Some(similar), ColumnRole::Named(key)) => {
                Remedy::Rust(format!("{key} = \"{similar}\""))
            }
            (None, ColumnRole::Field(ty)) => match probe::add_column(table, name, ty) {
                Some(sql) => Remedy::Sql(sql),
                None => Remedy::Other(format!(
                    "add the column {} of type {}, with a value for the rows that exist",
                    column_name(table, name),
                    ty.sql_name()
                )),
            },
            (None, ColumnRole::Named(key)) => {
                Remedy::Other(format!("name another {key}, or add the column"))
            }
        };
        let detail = match (similar, role) {
            (Some(_), _) => did_you_mean(similar),
            (None, ColumnRole::Field(_)) => String::new(),
            (None, ColumnRole::Named(key)) => format!(", which is its {key}"),
        };
        let message = format!("{} has no column `{name}`{detail}", table_name(table));
        self.report(
            path,
            Diagnostic::error(
                FindingKind::MissingColumn,
                column_name(table, name),
                message,
            )
            .remedies([remedy])
            .breaks(Breaks::Documents),
        );
        None
    }

    /// The columns of a key or of a foreign key. Reports those that do not exist, and then returns `None`.
    pub(super) fn columns(
        &mut self,
        relation: &'a CatalogRelation,
        table: Table,
        columns: Columns,
        path: &str,
        role: &'static str,
    ) -> Option<Vec<&'a RelationColumn>> {
        let names = columns.names().iter();
        let found: Vec<_> = names
            .map(|name| self.column(relation, table, name, path, ColumnRole::Named(role)))
            .collect();
        found.into_iter().collect()
    }

    pub(super) fn unknown_type(&mut self, path: &str, ty: &ScalarType) {
        // A type in a schema that the role may not use is not found either.
        let schema = ty.sql.rsplit_once('.').map_or("", |(schema, _)| schema);
        let subject = format!("schema {}", schema.trim_matches('"'));
        if self.findings.has(FindingKind::Privilege, &subject) {
            return;
        }
        self.report(
            path,
            Diagnostic::error(
                FindingKind::MissingType,
                ty.sql,
                format!("there is no type `{}`, which the field names", ty.sql),
            )
            .advice("run the migration that creates the type, or name it with its schema")
            .breaks(Breaks::Documents),
        );
    }

    /// Checks the column of a field.
    pub(super) fn field_column(&mut self, it: &FieldColumn<'_, 'a>) {
        let table = it.table;
        let role = ColumnRole::Field(&it.ty);
        let Some(column) = self.column(it.relation, table, it.name, it.path, role) else {
            return;
        };
        let shown = column_name(table, it.name);
        let compatibility = if it.is_root_key {
            Compatibility::Fits // A key has its own rules, which `root_key` checks.
        } else {
            type_compat::column(self.findings.catalog, &it.ty, column.type_oid)
        };
        match compatibility {
            Compatibility::Fits if it.is_promoted => self.promoted(it, column),
            Compatibility::Fits => {}
            Compatibility::UnknownType => self.unknown_type(it.path, &it.ty),
            Compatibility::Differs(why) => self.field_type(it, column, &shown, why),
        }
        let catalog = self.findings.catalog;
        let labels = enum_labels::unknown_labels(catalog, &it.ty, column.type_oid, &shown, &shown);
        if let Some(diagnostic) = labels {
            self.report(it.path, diagnostic);
        }
        self.field_null(it, column, shown);
    }

    /// Reports a type that the field cannot hold.
    fn field_type(
        &mut self,
        it: &FieldColumn<'_, '_>,
        column: &RelationColumn,
        shown: &str,
        why: &str,
    ) {
        let (ty, name) = (&it.ty, it.name);
        let is_bytes = type_compat::is_bytes(self.findings.catalog, column.type_oid);
        let rust = if is_bytes && type_compat::canonical(ty.sql) == "text" && ty.list.is_none() {
            // base64 has a line break after each 76 characters.
            Some(format!(
                "#[tview(expr = \"replace(encode({{}}.{name}, 'base64'), chr(10), '')\")]"
            ))
        } else if ty.graphql == "JSON" {
            Some(format!(
                "#[tview(expr = \"pg_catalog.to_jsonb({{}}.{name})\")]"
            ))
        } else {
            type_compat::rust_type_for(self.findings.catalog, column.type_oid, ty.nullable)
        };
        let mut remedies: Vec<Remedy> = rust
            .map(Remedy::Rust)
            .into_iter()
            .chain(self.set_type(it.table, column, &ty.sql_name()))
            .collect();
        if remedies.is_empty() {
            remedies.push(Remedy::Other(format!(
                "convert it with #[tview(expr = \"..\")], to {}",
                ty.sql_name()
            )));
        }
        let message = format!(
            "{shown} is {}, and the field is {}: {why}",
            self.type_of(column),
            type_compat::rust_type(ty)
        );
        let subject = format!("{shown} {}", ty.sql_name());
        self.report(
            it.path,
            Diagnostic::error(FindingKind::Type, subject, message)
                .remedies(remedies)
                .breaks(Breaks::Documents),
        );
    }

    /// Reports a column that can be null, if the field is not an `Option`.
    fn field_null(&mut self, it: &FieldColumn<'_, '_>, column: &RelationColumn, shown: String) {
        let (table, name) = (it.table, it.name);
        let can_be_null = it.relation.kind == RelationKind::Table
            && !it.ty.nullable
            && !self.findings.catalog.never_null(column)
            && !self.reported_null.contains(&(table, name))
            && !it
                .filters
                .iter()
                .flatten()
                .any(|filter| excludes_null(filter, name));
        if !can_be_null {
            return;
        }
        let set_not_null = Remedy::Sql(probe::set_not_null(table, name));
        let (message, remedies) = if it.is_root_key {
            (
                format!("{shown} is the key of the documents, and can be null"),
                vec![set_not_null],
            )
        } else {
            let mut optional = type_compat::optional(type_compat::rust_type(&it.ty), true);
            let mut what = "the field is not an Option";
            if it.is_element {
                optional = format!("Vec<{optional}>");
                what = "the elements of the field are not Options";
            }
            (
                format!(
                    "{shown} can be null, and {what}: a document with a null there cannot be read"
                ),
                vec![Remedy::Rust(optional), set_not_null],
            )
        };
        self.report(
            it.path,
            Diagnostic::error(FindingKind::Nullable, shown, message).remedies(remedies),
        );
    }

    /// Checks that the promoted column can store the values of the base table's column.
    fn promoted(&mut self, it: &FieldColumn<'_, '_>, column: &RelationColumn) {
        let (table, ty) = (it.table, &it.ty);
        // The Rust type that fits the column better than the field's.
        let better_type =
            type_compat::rust_type_for(self.findings.catalog, column.type_oid, ty.nullable)
                .filter(|better| *better != type_compat::rust_type(ty));
        if type_compat::has_session_text(self.findings.catalog, ty, column.type_oid) {
            let message = format!(
                "{} is {}, and the promoted column is {}: what it stores would depend on the \
                 session's DateStyle",
                column_name(table, &column.name),
                self.type_of(column),
                ty.sql_name()
            );
            let rust = better_type.unwrap_or_else(|| "no `filter`, `sort` or `unique`".to_owned());
            self.report(
                it.path,
                Diagnostic::error(FindingKind::PromotedType, it.path, message).rust(rust),
            );
        } else if let Some(value) = document::promoted_column(probe::ALIAS, it.name, ty) {
            let question = Question::Promoted {
                table,
                column: it.name,
                value,
                type_sql: self.type_of(column),
                ty: *ty,
                better_type,
            };
            self.ask(it.path, question);
        }
    }
}
