//! Checks the base tables of a view: that they exist, are tables, and that the role has the
//! privileges.

use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::catalog::{CatalogRelation, RelationKind, Resolution};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::ops::check::privileges::no_usage;
use crate::ops::check::rejections::not_a_table;
use crate::ops::check::server_checks::Question;
use crate::ops::check::walk::state::{TableUse, Walk};
use crate::schema::Table;
use crate::schema::naming::{did_you_mean, nearest_name, qualified, table_name};
use crate::sql::ddl::remedy;
use crate::sql::probe;

impl<'a> Walk<'_, 'a> {
    /// A base table. Reports it and returns `None` if it does not exist.
    pub(super) fn table(&mut self, table: Table, path: &str) -> Option<&'a CatalogRelation> {
        let catalog = self.findings.catalog;
        let relation = match catalog.table(table) {
            Resolution::Found(relation) => relation,
            Resolution::NoSchema => {
                self.no_schema(table, path);
                return None;
            }
            Resolution::NoTable => {
                self.no_table(table, path);
                return None;
            }
            Resolution::NoUsage => {
                self.no_usage(table, path);
                return None;
            }
        };
        self.used.entry(table).or_insert_with(|| TableUse {
            path: path.to_owned(),
            ..TableUse::default()
        });
        self.relation_kind(relation, table, path);
        self.storage(relation, table, path);
        if relation.row_security {
            let message = format!(
                "row level security is active on {} for the role {}: rows that it hides are \
                 missing in documents, and documents of hidden root rows are deleted",
                table_name(table),
                self.findings.server.role
            );
            self.report(
                path,
                Diagnostic::warning(FindingKind::RowSecurity, table.to_string(), message)
                    .advice("sync as a role that sees every row, such as one with BYPASSRLS"),
            );
        }
        Some(relation)
    }

    /// Reports a relation that is not a table, and of which less is known.
    fn relation_kind(&mut self, relation: &CatalogRelation, table: Table, path: &str) {
        let (kind, locks) = match relation.kind {
            RelationKind::Table => return,
            RelationKind::View => {
                self.ask(path, Question::View { table });
                return;
            }
            RelationKind::Materialized => (
                "a materialized view",
                "its rows cannot be locked: documents are as old as its last refresh, and have to be \
                 synced after the next one",
            ),
            RelationKind::Foreign => (
                "a foreign table",
                "whether a sync inside a transaction can lock its rows depends on the other server",
            ),
        };
        self.report(path, not_a_table(table, kind, locks));
    }

    /// Reports an unlogged table, and one with partitions or children on another server.
    fn storage(&mut self, relation: &CatalogRelation, table: Table, path: &str) {
        let shown = table_name(table);
        if relation.unlogged && !self.view.parameters.unlogged {
            let message = format!(
                "{shown} is unlogged: after a crash of the server it is empty, and documents that \
                 embed its rows are as they were"
            );
            self.report(
                path,
                Diagnostic::warning(FindingKind::Unlogged, table.to_string(), message)
                    .sql(remedy::set_unlogged(&table.to_string(), false)),
            );
        }
        let foreign = relation.children.iter().find(|child| child.is_foreign);
        if let Some(child) = foreign {
            let message = format!(
                "{}, whose rows are rows of {shown}, is a foreign table: whether a sync inside a \
                 transaction can lock its rows depends on the other server",
                child.table
            );
            self.report(
                path,
                Diagnostic::warning(FindingKind::NotATable, child.table.to_string(), message)
                    .advice("make sure that its columns fit, and accept this warning"),
            );
        }
    }

    fn no_schema(&mut self, table: Table, path: &str) {
        let schemas = self.findings.catalog.all_relations.iter();
        let similar = nearest_name(table.schema, schemas.map(|(schema, _)| schema.as_str()));
        let elsewhere = self.same_name_elsewhere(table);
        let suggestion = elsewhere
            .clone()
            .or_else(|| similar.map(|schema| format!("{schema}.{}", table.name)));
        let remedy = match suggestion {
            Some(other) => Remedy::Rust(format!("#[tview(table = \"{other}\")]")),
            None => {
                Remedy::Other("run the migrations that create the schema and its tables".to_owned())
            }
        };
        let message = format!(
            "there is no schema `{}`{}",
            table.schema,
            did_you_mean(elsewhere.as_deref().or(similar))
        );
        self.report(
            path,
            Diagnostic::error(FindingKind::MissingSchema, table.schema, message)
                .remedies([remedy])
                .breaks(Breaks::Documents),
        );
    }

    fn no_table(&mut self, table: Table, path: &str) {
        let same_schema = self
            .findings
            .catalog
            .all_relations
            .iter()
            .filter(|(schema, _)| schema == table.schema)
            .map(|(_, name)| name.as_str());
        let suggestion = self.same_name_elsewhere(table).or_else(|| {
            nearest_name(table.name, same_schema).map(|name| qualified(table.schema, name))
        });
        let remedy = match &suggestion {
            Some(other) => Remedy::Rust(format!("table = \"{other}\"")),
            None => Remedy::Other("run the migration that creates it".to_owned()),
        };
        let message = format!(
            "there is no table {}{}",
            table_name(table),
            did_you_mean(suggestion.as_deref())
        );
        self.report(
            path,
            Diagnostic::error(FindingKind::MissingTable, table.to_string(), message)
                .remedies([remedy])
                .breaks(Breaks::Documents),
        );
    }

    fn no_usage(&mut self, table: Table, path: &str) {
        let diagnostic =
            no_usage(table.schema, &self.findings.server.role).breaks(Breaks::Documents);
        self.report(path, diagnostic);
    }

    /// A table of this name in another schema.
    fn same_name_elsewhere(&self, table: Table) -> Option<String> {
        self.findings
            .catalog
            .all_relations
            .iter()
            .find(|(_, name)| name == table.name)
            .map(|(schema, name)| format!("{schema}.{name}"))
    }

    /// Reports the privileges that the role lacks on the base tables.
    pub(super) fn privileges(&mut self) {
        let catalog = self.findings.catalog;
        for (table, used) in std::mem::take(&mut self.used) {
            if let Some(relation) = catalog.relation(table) {
                self.select_privilege(relation, table, &used);
                self.lock_privilege(relation, table, &used);
            }
        }
    }

    fn select_privilege(&mut self, relation: &CatalogRelation, table: Table, used: &TableUse) {
        let role = &self.findings.server.role;
        let hidden: Vec<&str> = relation
            .columns
            .iter()
            .filter(|column| !column.can_select)
            .map(|column| column.name.as_str())
            .filter(|name| used.every_column || used.columns.contains(name))
            .collect();
        if hidden.is_empty() {
            return;
        }
        let message = if hidden.len() == relation.columns.len() {
            format!("the role {role} may not read {}", table_name(table))
        } else {
            format!(
                "the role {role} may not read all of {}: {}",
                table_name(table),
                hidden.join(", ")
            )
        };
        // PREPARE does not check this privilege, so it breaks no statement.
        let diagnostic =
            Diagnostic::error(FindingKind::Privilege, format!("{table} SELECT"), message)
                .sql(probe::grant("SELECT", table, role));
        self.report(&used.path, diagnostic);
    }

    fn lock_privilege(&mut self, relation: &CatalogRelation, table: Table, used: &TableUse) {
        let Some(column) = self.findings.base.locked.get(&table) else {
            return;
        };
        if relation.can_lock || relation.kind != RelationKind::Table {
            return;
        }
        let role = &self.findings.server.role;
        let message = format!(
            "the role {role} may not lock rows of {}, which needs the privilege UPDATE on one of its \
             columns: syncs inside of transactions and mutations fail; a sync on a pool works, and \
             while another transaction that has synced is open, its documents may be stale",
            table_name(table)
        );
        let diagnostic =
            Diagnostic::warning(FindingKind::LockPrivilege, table.to_string(), message)
                .sql(probe::grant_lock(table, *column, role));
        self.report(&used.path, diagnostic);
    }
}
