//! The state of the comparison of one view.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::catalog::{CatalogRelation, RelationColumn};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::ops::check::findings::Findings;
use crate::ops::check::fragments::Fragment;
use crate::ops::check::rejections::ComparedColumn;
use crate::ops::check::server_checks::{Question, ServerCheck};
use crate::ops::check::type_compat;
use crate::ops::check::type_compat::Conversion;
use crate::schema::naming::column_name;
use crate::schema::scalar::ScalarType;
use crate::schema::{Table, View};
use crate::sql::probe;

/// The comparison of one view with its base tables.
pub(crate) struct Walk<'f, 'a> {
    pub(super) findings: &'f mut Findings<'a>,
    pub(super) view: &'static View,
    pub(super) used: BTreeMap<Table, TableUse>,
    /// Columns that can be null, which a finding with another kind has reported already.
    pub(super) reported_null: HashSet<(Table, &'static str)>,
    pub(super) checks: Vec<ServerCheck>,
    pub(super) fragments: Vec<Fragment>,
}

/// How a view uses a base table.
#[derive(Default)]
pub(super) struct TableUse {
    /// The first field that uses it.
    pub(super) path: String,
    pub(super) columns: BTreeSet<&'static str>,
    /// Whether a filter, which can read any column, is applied to it.
    pub(super) every_column: bool,
}

/// The attribute that names a column.
#[derive(Clone, Copy)]
pub(super) enum ColumnRole<'a> {
    /// The column of a field, of this type.
    Field(&'a ScalarType),
    /// `fk = ".."`, `to = ".."`, `order_by = ".."`, `key = ".."`.
    Named(&'static str),
}

/// A table and some of its columns.
pub(super) type TableColumns<'a> = (Table, &'a [&'a RelationColumn]);

/// The names of columns.
pub(super) fn names<'a>(columns: &[&'a RelationColumn]) -> Vec<&'a str> {
    columns.iter().map(|column| column.name.as_str()).collect()
}

/// A table and one of its columns.
pub(super) type TableColumn<'c> = (Table, &'c RelationColumn);

impl<'f, 'a> Walk<'f, 'a> {
    pub(super) fn new(findings: &'f mut Findings<'a>, view: &'static View) -> Self {
        Self {
            findings,
            view,
            used: BTreeMap::new(),
            reported_null: HashSet::new(),
            checks: Vec::new(),
            fragments: Vec::new(),
        }
    }

    /// Adds a problem that was found at `path`.
    pub(super) fn report(&mut self, path: &str, diagnostic: Diagnostic) {
        self.findings.add(Some(self.view), path, diagnostic);
    }

    /// How the view uses a table.
    pub(super) fn usage(&mut self, table: Table) -> &mut TableUse {
        self.used.entry(table).or_default()
    }

    /// Adds a check by the server.
    pub(super) fn ask(&mut self, path: &str, question: Question) {
        self.checks.push(ServerCheck {
            path: path.to_owned(),
            question,
        });
    }

    /// Adds a `filter` on the rows of a table.
    pub(super) fn filter(&mut self, table: Table, path: &str, text: &'static str) {
        self.usage(table).every_column = true;
        self.fragment(path, "filter", text, table);
        self.ask(path, Question::Filter { text, table });
    }

    /// Adds a fragment, so that an error in a whole statement can be traced to it.
    pub(super) fn fragment(
        &mut self,
        path: &str,
        attribute: &'static str,
        text: &'static str,
        table: Table,
    ) {
        self.fragments.push(Fragment {
            path: path.to_owned(),
            attribute,
            text,
            table,
        });
    }

    /// `fk` refers to `key` of the parent. A foreign key proves that the two can be compared;
    /// without one, the server checks it.
    pub(super) fn reference(
        &mut self,
        rows: &CatalogRelation,
        fk: TableColumns<'_>,
        parent: Option<&CatalogRelation>,
        key: Option<TableColumns<'_>>,
        path: &str,
    ) {
        if let (Some(parent), Some(key)) = (parent, key)
            && !rows.refers(&names(fk.1), parent, &names(key.1))
            && !self.wrong_key(rows, fk, parent, key, path)
        {
            self.comparisons(fk, key, path);
        }
    }

    /// Asks the server whether columns can be compared, one by one.
    pub(super) fn comparisons(&mut self, fk: TableColumns<'_>, key: TableColumns<'_>, path: &str) {
        for (fk_column, key_column) in fk.1.iter().zip(key.1) {
            self.comparison((fk.0, fk_column), (key.0, key_column), path);
        }
    }

    /// Reports a field that compares a foreign key with another column than the one that it
    /// references: `key = ".."` is missing. Returns whether it is so.
    pub(super) fn wrong_key(
        &mut self,
        rows: &CatalogRelation,
        fk: TableColumns<'_>,
        parent: &CatalogRelation,
        key: TableColumns<'_>,
        path: &str,
    ) -> bool {
        let ([fk_column], [key_column]) = (fk.1, key.1) else {
            return false;
        };
        let (fk, key) = ((fk.0, *fk_column), (key.0, *key_column));
        let Some(referenced) = rows.refers_elsewhere(&fk.1.name, parent, &key.1.name) else {
            return false;
        };
        let shown = column_name(fk.0, &fk.1.name);
        let message = format!(
            "{shown} references {}, and the field compares it with {}",
            column_name(key.0, referenced),
            column_name(key.0, &key.1.name)
        );
        let diagnostic = Diagnostic::error(FindingKind::LinkType, shown, message)
            .rust(format!("key = \"{referenced}\""))
            .breaks(Breaks::Documents);
        self.report(path, diagnostic);
        true
    }

    /// Asks the server whether two columns can be compared.
    fn comparison(&mut self, fk: TableColumn<'_>, key: TableColumn<'_>, path: &str) {
        let compared = |(table, column): TableColumn<'_>| ComparedColumn {
            table,
            name: column.name.clone(),
            type_sql: self.type_of(column),
        };
        let (fk_column, key_column) = (compared(fk), compared(key));
        let remedy = self.set_type(fk.0, fk.1, &key_column.type_sql);
        self.ask(
            path,
            Question::Comparison {
                fk: fk_column,
                key: key_column,
                remedy,
            },
        );
    }

    /// The statement that changes the type of a column, if no value can be lost by it.
    pub(super) fn set_type(
        &self,
        table: Table,
        column: &RelationColumn,
        ty: &str,
    ) -> Option<Remedy> {
        let conversion = type_compat::conversion(self.findings.catalog, column.type_oid, ty)?;
        Some(Remedy::Sql(match conversion {
            Conversion::Cast => probe::set_type(table, &column.name, ty),
            Conversion::InUtc => probe::set_type_in_utc(table, &column.name, ty),
        }))
    }

    /// The type of a column in messages: `score (bigint)` for a domain.
    pub(super) fn type_of(&self, column: &RelationColumn) -> String {
        let catalog = self.findings.catalog;
        let (Some(declared), Some(base)) = (
            catalog.declared(column.type_oid),
            catalog.base(column.type_oid),
        ) else {
            return "of an unknown type".to_owned();
        };
        if declared.oid == base.oid {
            base.sql.clone()
        } else {
            format!("{} ({})", declared.sql, base.sql)
        }
    }
}
