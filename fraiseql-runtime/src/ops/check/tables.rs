//! The base tables that a view needs: whether they are there, are tables, and may be read.

use std::collections::BTreeSet;

use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::catalog::{Found, Kind, Relation};
use crate::ops::check::walk::{Text, Walk};
use crate::schema::Table;
use crate::schema::naming::{did_you_mean, near, qualified, table_name as name};
use crate::sql::probe;

/// What a view uses of a base table.
#[derive(Default)]
pub(crate) struct Use {
    pub(crate) path: String,
    pub(crate) columns: BTreeSet<&'static str>,
    /// All of them: the table is filtered.
    pub(crate) every_column: bool,
    /// Its rows are locked by a sync inside a transaction.
    pub(crate) locked: bool,
}

impl<'a> Walk<'_, 'a> {
    /// A base table, or `None` where that was a fault.
    pub(crate) fn table(&mut self, table: Table, path: &str) -> Option<&'a Relation> {
        let catalog = self.findings.catalog;
        let shown = name(table);
        let relation = match catalog.table(table) {
            Found::Table(relation) => relation,
            Found::NoSchema => {
                let near = near(
                    table.schema,
                    catalog.all.iter().map(|(schema, _)| schema.as_str()),
                );
                let elsewhere = self.same_name_elsewhere(table);
                let remedy = match elsewhere
                    .clone()
                    .or_else(|| near.map(|schema| format!("{schema}.{}", table.name)))
                {
                    Some(other) => Remedy::Rust(format!("#[tview(table = \"{other}\")]")),
                    None => Remedy::Other(
                        "run the migrations that create the schema and its tables".to_owned(),
                    ),
                };
                let text = Text::new(
                    format!(
                        "there is no schema `{}`{}",
                        table.schema,
                        did_you_mean(elsewhere.as_deref().or(near))
                    ),
                    [remedy],
                );
                self.error(
                    path,
                    FindingKind::MissingSchema,
                    table.schema.to_owned(),
                    text,
                );
                return None;
            }
            Found::NoTable => {
                let here = catalog
                    .all
                    .iter()
                    .filter(|(schema, _)| schema == table.schema)
                    .map(|(_, name)| name.as_str());
                let other = self
                    .same_name_elsewhere(table)
                    .or_else(|| near(table.name, here).map(|near| qualified(table.schema, near)));
                let remedy = match &other {
                    Some(other) => Remedy::Rust(format!("table = \"{other}\"")),
                    None => Remedy::Other("run the migration that creates it".to_owned()),
                };
                let text = Text::new(
                    format!(
                        "there is no table {shown}{}",
                        did_you_mean(other.as_deref())
                    ),
                    [remedy],
                );
                self.error(path, FindingKind::MissingTable, table.to_string(), text);
                return None;
            }
            Found::NoUsage => {
                self.no_usage(table, path);
                return None;
            }
        };
        self.used.entry(table).or_insert_with(|| Use {
            path: path.to_owned(),
            ..Use::default()
        });
        let what = match relation.kind {
            Kind::Table => None,
            Kind::View => Some((
                "a view",
                "a sync inside a transaction locks the rows of the tables behind it",
            )),
            Kind::Materialized => Some((
                "a materialized view",
                "its rows cannot be locked, so a sync inside a transaction fails where it embeds \
                 them, and documents are as old as its last refresh",
            )),
            Kind::Foreign => Some((
                "a foreign table",
                "whether a sync inside a transaction can lock its rows depends on the other server",
            )),
        };
        if let Some((what, locks)) = what {
            let text = Text::new(
                format!(
                    "{shown} is {what}: whether its columns can be null, are unique or indexed \
                     cannot be checked, and {locks}"
                ),
                [Remedy::Other(
                    "name the table behind it, with `expr` and `filter` for what differs; or see \
                     that every field fits, and keep this warning"
                        .to_owned(),
                )],
            );
            self.warning(path, FindingKind::NotATable, table.to_string(), text);
        }
        if relation.row_security {
            let text = Text::new(
                format!(
                    "row level security is active on {shown} for the role {}: the rows that it \
                     hides will be missing from documents, or delete them",
                    self.findings.server.role
                ),
                [Remedy::Other(
                    "sync as a role that sees every row, such as one with BYPASSRLS".to_owned(),
                )],
            );
            self.warning(path, FindingKind::RowSecurity, table.to_string(), text);
        }
        Some(relation)
    }

    fn no_usage(&mut self, table: Table, path: &str) {
        let role = &self.findings.server.role;
        let mut text = Text::new(
            format!("the role {role} may not use the schema `{}`", table.schema),
            [Remedy::Sql(probe::grant_usage(table.schema, role))],
        );
        text.breaks = true;
        self.error(
            path,
            FindingKind::Privilege,
            format!("schema {}", table.schema),
            text,
        );
    }

    /// A table of this name in another schema.
    fn same_name_elsewhere(&self, table: Table) -> Option<String> {
        self.findings
            .catalog
            .all
            .iter()
            .find(|(_, name)| name == table.name)
            .map(|(schema, name)| format!("{schema}.{name}"))
    }

    /// What the role may not do with the tables that were used.
    pub(crate) fn privileges(&mut self) {
        let role = &self.findings.server.role;
        for (table, used) in std::mem::take(&mut self.used) {
            let Some(relation) = self.findings.catalog.relation(table) else {
                continue;
            };
            let hidden: Vec<&str> = relation
                .columns
                .iter()
                .filter(|column| !column.can_select)
                .map(|column| column.name.as_str())
                .filter(|name| used.every_column || used.columns.contains(name))
                .collect();
            if !hidden.is_empty() {
                let text = Text::new(
                    if hidden.len() == relation.columns.len() {
                        format!("the role {role} may not read {}", name(table))
                    } else {
                        format!(
                            "the role {role} may not read all of {}: {}",
                            name(table),
                            hidden.join(", ")
                        )
                    },
                    [Remedy::Sql(probe::grant("SELECT", table, role))],
                );
                let subject = format!("{table} SELECT");
                self.error(&used.path, FindingKind::Privilege, subject, text);
            }
            if used.locked && !relation.can_lock && relation.kind == Kind::Table {
                let text = Text::new(
                    format!(
                        "the role {role} may not lock rows of {}, which needs the privilege \
                         UPDATE: a sync inside a transaction fails, one on a pool works",
                        name(table)
                    ),
                    [Remedy::Sql(probe::grant("UPDATE", table, role))],
                );
                self.warning(
                    &used.path,
                    FindingKind::LockPrivilege,
                    table.to_string(),
                    text,
                );
            }
        }
    }
}
