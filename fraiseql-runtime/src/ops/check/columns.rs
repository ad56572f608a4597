//! The columns that a view needs: whether they are there, and hold what the fields do.

use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::ask::Question;
use crate::ops::check::catalog::{Column, Kind, Relation};
use crate::ops::check::fit;
use crate::ops::check::fit::{Conversion, Misfit};
use crate::ops::check::labels;
use crate::ops::check::null::excludes_null;
use crate::ops::check::walk::{Text, Walk};
use crate::schema::naming::{column_name, did_you_mean, near, table_name as name};
use crate::schema::scalar::ScalarType;
use crate::schema::{Field, Shape, Source, Table};
use crate::sql::{document, probe};

/// How a column is named in the attributes.
#[derive(Clone, Copy)]
pub(crate) enum Role<'a> {
    /// The field's own column, of this type.
    Own(&'a ScalarType),
    /// `fk = ".."`, `to = ".."`, `order_by = ".."`, `key = ".."`.
    Named(&'static str),
}

impl<'a> Walk<'_, 'a> {
    /// A column of a base table, or `None` where that was a fault.
    pub(crate) fn column(
        &mut self,
        relation: &'a Relation,
        table: Table,
        wanted: &'static str,
        path: &str,
        role: Role<'_>,
    ) -> Option<&'a Column> {
        if let Some(column) = relation.column(wanted) {
            self.used.entry(table).or_default().columns.insert(wanted);
            return Some(column);
        }
        let names = relation.columns.iter().map(|column| column.name.as_str());
        let near = near(wanted, names);
        let key = match role {
            Role::Own(_) => "column",
            Role::Named(key) => key,
        };
        let remedy = match (near, role) {
            (Some(near), Role::Own(_)) => Remedy::Rust(format!("#[tview(column = \"{near}\")]")),
            (Some(near), Role::Named(key)) => Remedy::Rust(format!("{key} = \"{near}\"")),
            (None, Role::Own(ty)) => Remedy::Sql(probe::add_column(table, wanted, ty)),
            (None, Role::Named(key)) => {
                Remedy::Other(format!("name another {key}, or add the column"))
            }
        };
        let text = Text::new(
            format!(
                "{} has no column `{wanted}`{}",
                name(table),
                match (near, key) {
                    (None, "column") => String::new(),
                    (None, key) => format!(", which is its {key}"),
                    (near, _) => did_you_mean(near),
                }
            ),
            [remedy],
        );
        self.error(
            path,
            FindingKind::MissingColumn,
            column_name(table, wanted),
            text,
        );
        None
    }

    /// The key of the documents: one row for each, none without.
    pub(crate) fn root_key(&mut self, relation: &'a Relation) {
        let shape = self.view.shape;
        let key = self.view.key;
        let Some(column) = relation.column(key.column) else {
            return; // Its field says so.
        };
        let path = self.path_of_key(shape);
        match fit::key(self.findings.catalog, &key.ty, column.ty) {
            Ok(()) => {}
            Err(Misfit::Missing) => self.missing_type(&path, &key.ty),
            Err(Misfit::Because(why)) => {
                let text = self.key_type(&key.ty, shape.table, column, why);
                self.error(&path, FindingKind::KeyType, path.clone(), text);
            }
        }
        if column.folds {
            let shown = column_name(shape.table, key.column);
            let text = Text::new(
                format!(
                    "{shown} is the key of the documents, and has a nondeterministic collation: \
                     keys that are equal to it and not to Rust, such as 'A' and 'a', would be \
                     confused"
                ),
                (relation.kind == Kind::Table)
                    .then(|| {
                        let table = shape.table;
                        Remedy::Sql(probe::set_collation(table, key.column, &column.written))
                    })
                    .into_iter()
                    .chain([Remedy::Other("take another column as the key".to_owned())]),
            );
            self.error(&path, FindingKind::KeyType, path.clone(), text);
        }
        if relation.kind != Kind::Table || relation.is_unique(key.column) {
            return;
        }
        let never_null = self.findings.catalog.never_null(column);
        let (what, remedy) = if never_null {
            (
                "unique",
                probe::create_unique_index(shape.table, key.column),
            )
        } else if relation.has_primary_key() {
            (
                "unique, and can be null",
                probe::create_unique_index(shape.table, key.column),
            )
        } else {
            self.reported.insert((shape.table, key.column));
            (
                "unique, and can be null",
                probe::add_primary_key(shape.table, key.column),
            )
        };
        let shown = column_name(shape.table, key.column);
        let text = Text::new(
            format!(
                "{shown} is the key of the documents, but is not {what}: two rows with one key \
                 cannot be one document"
            ),
            [Remedy::Sql(remedy)],
        );
        self.error(&path, FindingKind::NotUnique, shown, text);
    }

    fn key_type(&self, ty: &ScalarType, table: Table, column: &Column, why: &str) -> Text {
        Text::new(
            format!(
                "{} is {}, and the key is {} ({}): {why}",
                column_name(table, &column.name),
                self.written(column),
                fit::rust(ty),
                ty.sql
            ),
            fit::rust_for(self.findings.catalog, column.ty, false)
                .filter(|rust| *rust != fit::rust(ty))
                .map(Remedy::Rust)
                .into_iter()
                .chain(self.set_type(table, column, ty.sql))
                .chain([Remedy::Other(
                    "take another column, or another type, as the key".to_owned(),
                )]),
        )
    }

    /// The statement that changes a column's type, where no value can be lost by it.
    pub(crate) fn set_type(&self, table: Table, column: &Column, ty: &str) -> Option<Remedy> {
        let sql = match fit::conversion(self.findings.catalog, column.ty, ty)? {
            Conversion::Cast => probe::set_type(table, &column.name, ty),
            Conversion::InUtc => probe::set_type_in_utc(table, &column.name, ty),
        };
        Some(Remedy::Sql(sql))
    }

    fn missing_type(&mut self, path: &str, ty: &ScalarType) {
        let text = Text::new(
            format!("there is no type `{}`, which the field names", ty.sql),
            [Remedy::Other(
                "run the migration that creates the type, or name it with its schema".to_owned(),
            )],
        );
        self.error(path, FindingKind::MissingType, ty.sql.to_owned(), text);
    }

    fn path_of_key(&self, shape: &Shape) -> String {
        let key = self.view.key.column;
        let field = shape
            .fields
            .iter()
            .find(|field| matches!(field.source, Source::Column { column, .. } if column == key));
        match field {
            Some(field) => format!("{}.{}", shape.name, field.name),
            None => shape.name.to_owned(),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all of one field")]
    pub(crate) fn own_column(
        &mut self,
        relation: &'a Relation,
        shape: &Shape,
        field: &Field,
        wanted: &'static str,
        ty: &ScalarType,
        path: &str,
        filters: &[Option<&str>],
        root_key: bool,
    ) {
        let Some(column) = self.column(relation, shape.table, wanted, path, Role::Own(ty)) else {
            return;
        };
        let shown = column_name(shape.table, wanted);
        let fits = if root_key {
            Ok(()) // It has rules of its own.
        } else {
            fit::column(self.findings.catalog, ty, column.ty)
        };
        match fits {
            Ok(()) if field.promoted.is_some() => {
                let value = document::promoted_column(probe::ALIAS, wanted, ty);
                if fit::text_of_session(self.findings.catalog, ty, column.ty) {
                    self.promoted_text(shape.table, column, ty, path);
                } else if let Some(value) = value {
                    self.questions.push(Question::Promoted {
                        path: path.to_owned(),
                        table: shape.table,
                        column: wanted,
                        value,
                        written: self.written(column),
                        ty: *ty,
                        rust: self.rust_instead(column, ty),
                    });
                }
            }
            Ok(()) => {}
            Err(Misfit::Missing) => self.missing_type(path, ty),
            Err(Misfit::Because(why)) => {
                let rust = if ty.graphql == "JSON" {
                    Some(format!(
                        "#[tview(expr = \"pg_catalog.to_jsonb({{}}.{wanted})\")]"
                    ))
                } else {
                    fit::rust_for(self.findings.catalog, column.ty, ty.nullable)
                };
                let mut remedies: Vec<Remedy> = rust
                    .map(Remedy::Rust)
                    .into_iter()
                    .chain(self.set_type(shape.table, column, &ty.sql_name()))
                    .collect();
                if remedies.is_empty() {
                    remedies.push(Remedy::Other(format!(
                        "convert it with #[tview(expr = \"..\")], to {}",
                        ty.sql_name()
                    )));
                }
                let text = Text::new(
                    format!(
                        "{shown} is {}, and the field is {}: {why}",
                        self.written(column),
                        fit::rust(ty)
                    ),
                    remedies,
                );
                let subject = format!("{shown} {}", ty.sql_name());
                self.error(path, FindingKind::Type, subject, text);
            }
        }
        let catalog = self.findings.catalog;
        if let Some(fault) = labels::fault(catalog, ty, column.ty, &shown, &shown) {
            self.findings.add(Some(self.view), path, fault);
        }
        let may_be_null = relation.kind == Kind::Table
            && !ty.nullable
            && !self.findings.catalog.never_null(column)
            && !self.reported.contains(&(shape.table, wanted))
            && !filters
                .iter()
                .flatten()
                .any(|filter| excludes_null(filter, wanted));
        if may_be_null {
            let text = Text::new(
                format!(
                    "{shown} can be null, and the field is no Option: a document with a null \
                     there cannot be read"
                ),
                [
                    Remedy::Rust(fit::optional(fit::rust(ty), true)),
                    Remedy::Sql(probe::set_not_null(shape.table, wanted)),
                ],
            );
            let text = if root_key {
                Text::new(
                    format!("{shown} is the key of the documents, and can be null"),
                    [Remedy::Sql(probe::set_not_null(shape.table, wanted))],
                )
            } else {
                text
            };
            self.error(path, FindingKind::Nullable, shown, text);
        }
    }

    /// The promoted column of a String would hold another text in each session.
    fn promoted_text(&mut self, table: Table, column: &Column, ty: &ScalarType, path: &str) {
        let text = Text::new(
            format!(
                "{} is {}, and the promoted column is {}: what it stores would depend on the \
                 session's DateStyle",
                column_name(table, &column.name),
                self.written(column),
                ty.sql_name()
            ),
            [Remedy::Rust(self.rust_instead(column, ty).unwrap_or_else(
                || "no `filter`, `sort` or `unique`".to_owned(),
            ))],
        );
        self.error(path, FindingKind::PromotedType, path.to_owned(), text);
    }

    /// The Rust type that fits a column better than the field's.
    fn rust_instead(&self, column: &Column, ty: &ScalarType) -> Option<String> {
        fit::rust_for(self.findings.catalog, column.ty, ty.nullable)
            .filter(|rust| *rust != fit::rust(ty))
    }

    pub(crate) fn written(&self, column: &Column) -> String {
        let catalog = self.findings.catalog;
        let (Some(declared), Some(base)) = (catalog.declared(column.ty), catalog.base(column.ty))
        else {
            return "of another type".to_owned();
        };
        if declared.oid == base.oid {
            base.written.clone()
        } else {
            format!("{} ({})", declared.written, base.written)
        }
    }
}
