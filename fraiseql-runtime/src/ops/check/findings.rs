//! Collects findings, each fault once, and knows what they break.

use std::collections::{HashMap, HashSet};

use crate::error::check_report::{Finding, FindingKind, Remedy, Severity};
use crate::ops::check::catalog::{Catalog, Server};
use crate::schema::{Table, View};

/// What a fault breaks, so that statements that it makes fail are not faults of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breaks {
    Nothing,
    /// Every statement that builds documents.
    Documents,
    /// Those that read or write the view table.
    Storage,
}

/// A fault, before it has a place.
pub(crate) struct Fault {
    pub(crate) severity: Severity,
    pub(crate) kind: FindingKind,
    /// Tells it from others of its kind: two fields that meet one fault are one finding.
    pub(crate) subject: String,
    pub(crate) message: String,
    pub(crate) remedies: Vec<Remedy>,
    pub(crate) breaks: Breaks,
}

/// A user's SQL, and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Fragment {
    pub(crate) path: String,
    /// `filter` or `expr`.
    pub(crate) what: &'static str,
    pub(crate) text: &'static str,
    pub(crate) table: Table,
}

/// The findings so far, and what they are found in.
pub(crate) struct Findings<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) server: &'a Server,
    list: Vec<Finding>,
    places: HashMap<(FindingKind, String), usize>,
    broken: HashSet<(Table, bool)>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(catalog: &'a Catalog, server: &'a Server) -> Self {
        Self {
            catalog,
            server,
            list: Vec::new(),
            places: HashMap::new(),
            broken: HashSet::new(),
        }
    }

    pub(crate) fn add(&mut self, view: Option<&'static View>, path: &str, fault: Fault) {
        if let Some(view) = view {
            match fault.breaks {
                Breaks::Nothing => {}
                Breaks::Documents => {
                    self.broken.insert((view.table, true));
                }
                Breaks::Storage => {
                    self.broken.insert((view.table, false));
                }
            }
        }
        let place = (fault.kind, fault.subject.clone());
        if let Some(index) = self.places.get(&place) {
            let known = &mut self.list[*index];
            if known.path != path && known.also.iter().all(|other| other != path) {
                known.also.push(path.to_owned());
            }
            // Of two indexes for one column the longer one serves both.
            if let (FindingKind::MissingIndex, [Remedy::Sql(old)], [Remedy::Sql(new)]) = (
                fault.kind,
                known.remedies.as_slice(),
                fault.remedies.as_slice(),
            ) && old.len() < new.len()
            {
                known.remedies = fault.remedies;
            }
            return;
        }
        self.places.insert(place, self.list.len());
        self.list.push(Finding {
            severity: fault.severity,
            kind: fault.kind,
            view,
            path: path.to_owned(),
            also: Vec::new(),
            message: fault.message,
            remedies: fault.remedies,
        });
    }

    /// Whether a fault was found already.
    pub(crate) fn has(&self, kind: FindingKind, subject: &str) -> bool {
        self.places.contains_key(&(kind, subject.to_owned()))
    }

    /// Whether faults were found that explain why documents cannot be built.
    pub(crate) fn documents_broken(&self, view: &View) -> bool {
        self.broken.contains(&(view.table, true))
    }

    /// Whether faults were found that explain why they cannot be stored.
    pub(crate) fn storage_broken(&self, view: &View) -> bool {
        self.broken.contains(&(view.table, false))
    }

    pub(crate) fn finish(self) -> Vec<Finding> {
        self.list
    }
}
