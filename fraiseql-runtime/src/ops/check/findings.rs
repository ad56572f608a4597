//! Collects findings, each problem once, and which statements they break.

use std::collections::{HashMap, HashSet};

use crate::error::check_report::{Finding, FindingKind, Remedy};
use crate::ops::check::catalog::{Catalog, ServerInfo};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::schema::{Table, View};
use crate::sql::privileges::BaseTables;

/// The findings so far, with the catalog in which they are found.
pub(crate) struct Findings<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) server: &'a ServerInfo,
    /// The base tables, with those whose rows are locked.
    pub(crate) base: &'a BaseTables,
    list: Vec<Finding>,
    /// The index in `list` of each problem, by kind and subject.
    indexes: HashMap<(FindingKind, String), usize>,
    /// Which statements of which view table fail because of a finding.
    broken: HashSet<(Table, Breaks)>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(catalog: &'a Catalog, server: &'a ServerInfo, base: &'a BaseTables) -> Self {
        Self {
            catalog,
            server,
            base,
            list: Vec::new(),
            indexes: HashMap::new(),
            broken: HashSet::new(),
        }
    }

    /// Adds a problem that was found at `path`. A known problem gets the path as another one.
    pub(crate) fn add(&mut self, view: Option<&'static View>, path: &str, diagnostic: Diagnostic) {
        // Also for a known problem: it breaks the statements of this view, too.
        if let Some(view) = view {
            self.broken.insert((view.table, diagnostic.breaks));
        }
        let key = (diagnostic.kind, diagnostic.subject.clone());
        if let Some(index) = self.indexes.get(&key) {
            let known = &mut self.list[*index];
            if known.path != path && known.also.iter().all(|other| other != path) {
                known.also.push(path.to_owned());
            }
            // Of two missing indexes on one column, the longer one serves both lookups.
            if let (FindingKind::MissingIndex, [Remedy::Sql(old)], [Remedy::Sql(new)]) = (
                diagnostic.kind,
                known.remedies.as_slice(),
                diagnostic.remedies.as_slice(),
            ) && old.len() < new.len()
            {
                known.remedies = diagnostic.remedies;
            }
            return;
        }
        self.indexes.insert(key, self.list.len());
        self.list.push(Finding {
            severity: diagnostic.severity,
            kind: diagnostic.kind,
            view,
            path: path.to_owned(),
            also: Vec::new(),
            message: diagnostic.message,
            remedies: diagnostic.remedies,
        });
    }

    /// Whether a problem is known already.
    pub(crate) fn has(&self, kind: FindingKind, subject: &str) -> bool {
        self.indexes.contains_key(&(kind, subject.to_owned()))
    }

    /// Whether the role lacks a privilege on a table of a view.
    pub(crate) fn lacks_privileges(&self) -> bool {
        self.list.iter().any(|finding| {
            let is_privilege = matches!(
                finding.kind,
                FindingKind::Privilege | FindingKind::LockPrivilege
            );
            is_privilege && finding.view.is_some()
        })
    }

    /// Whether a finding explains why statements of a view fail.
    pub(crate) fn is_broken(&self, view: &View, breaks: Breaks) -> bool {
        self.broken.contains(&(view.table, breaks))
    }

    pub(crate) fn finish(self) -> Vec<Finding> {
        self.list
    }
}
