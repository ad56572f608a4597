//! Collects findings, each fault once, and knows what they break.

use std::collections::{HashMap, HashSet};

use crate::check::catalog::{Catalog, Server};
use crate::check::report::{Finding, FindingKind, Remedy, Severity};
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

/// A table's name for people: without `public`.
pub(crate) fn name(table: Table) -> String {
    qualified(table.schema, table.name)
}

/// The same, of any table.
pub(crate) fn qualified(schema: &str, name: &str) -> String {
    if schema == "public" {
        name.to_owned()
    } else {
        format!("{schema}.{name}")
    }
}

/// A column's name for people.
pub(crate) fn column_name(table: Table, column: &str) -> String {
    format!("{}.{column}", name(table))
}

/// The name among `names` that was probably meant.
pub(crate) fn near<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let plain = |name: &str| name.replace(['_', ' ', '-'], "").to_lowercase();
    let target = plain(wanted);
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&target, &plain(name)), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 1.max(target.chars().count() / 3))
        .map(|(_, name)| name)
}

/// `, did you mean ..?`
pub(crate) fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn a_name_in_another_style_is_near() {
        let names = ["id", "created_at", "create_date"];
        assert_eq!(near("createdAt", names), Some("created_at"));
        assert_eq!(near("created_ta", names), Some("created_at"));
        assert_eq!(near("salary", names), None);
    }

    #[test]
    fn short_names_are_near_at_one_letter_only() {
        assert_eq!(near("ix", ["id", "no"]), Some("id"));
        assert_eq!(near("xy", ["id", "no"]), None);
    }
}
