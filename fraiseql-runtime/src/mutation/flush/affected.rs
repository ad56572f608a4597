//! The documents that a mutation affects, and how each of them is synced.
//!
//! A document can be synced in two ways. It is *built* from the base tables. Or, if all that
//! changed in it is one part of its root object, such as the author of a post, that part is
//! *replaced* in the stored JSON: the part is built once and put into many documents by one
//! statement, which is much faster if many documents embed the same row.

use std::collections::BTreeSet;

use crate::mutation::dependents::documents::Dependents;
use crate::mutation::dependents::find::MatchedPath;
use crate::schema::key::Keys;
use crate::sql::part::PartSql;
use crate::sync::part;
use crate::view::Handle;

/// The documents that a mutation affects, by what was found about them.
pub(super) struct AffectedDocuments {
    /// All of them. The limits are about these.
    documents: Dependents,
    /// Those that have to be built: marked by `resync`, or found on a path that is not that of a
    /// part.
    to_build: Dependents,
    /// Those that embed marked rows as a part of their root object. A document can be in several
    /// of these, and in `to_build` as well; `take_replacements` leaves each in one.
    replacements: Vec<(Handle, PartReplacement)>,
    /// The paths on which documents were found.
    pub(super) paths: Vec<MatchedPath>,
    /// More rows than the limit were deleted or changed with deleted rows: not all are known.
    pub(super) truncated: bool,
    /// Foreign keys of deleted rows that lead to other rows, and cannot be followed.
    pub(super) not_followed: BTreeSet<String>,
}

/// Documents of one view in which one part is replaced.
pub(super) struct PartReplacement {
    pub(super) part: &'static PartSql,
    /// The marked rows, which the part is made of.
    pub(super) rows: Keys,
    /// The documents.
    pub(super) keys: Keys,
}

impl AffectedDocuments {
    /// Begins with the documents that were marked themselves.
    pub(super) fn new(marked: Dependents) -> Self {
        Self {
            to_build: marked.clone(),
            documents: marked,
            replacements: Vec::new(),
            paths: Vec::new(),
            truncated: false,
            not_followed: BTreeSet::new(),
        }
    }

    pub(super) fn take_documents(&mut self) -> Dependents {
        std::mem::take(&mut self.documents)
    }

    pub(super) fn take_not_followed(&mut self) -> Vec<String> {
        std::mem::take(&mut self.not_followed).into_iter().collect()
    }

    /// Adds the documents that depend on `rows` as the tables are now.
    pub(super) fn add_current(&mut self, paths: Vec<MatchedPath>, rows: &Keys) {
        for path in paths {
            self.documents.add(path.view, path.keys.clone());
            match path.part {
                Some(part) => {
                    let replacement = PartReplacement {
                        part,
                        rows: rows.clone(),
                        keys: path.keys.clone(),
                    };
                    self.replacements.push((path.view, replacement));
                }
                None => self.to_build.add(path.view, path.keys.clone()),
            }
            self.paths.push(path);
        }
    }

    /// Adds the documents that depended on rows as the tables were before the mutation. The rows
    /// are `extra_depth` steps away from marked ones.
    ///
    /// It follows all calls of `add_current`.
    pub(super) fn add_former(&mut self, paths: Vec<MatchedPath>, extra_depth: usize) {
        for mut path in paths {
            path.depth += extra_depth;
            self.documents.add(path.view, path.keys.clone());
            let mut keys = path.keys.clone();
            if let Some(part) = path.part {
                // A document that embedded the row before and still does is among the replacements
                // of that part. One that embeds another row by now has to be built.
                for (_, replacement) in &self.replacements {
                    if std::ptr::eq(replacement.part, part) {
                        keys.remove(&replacement.keys);
                    }
                }
            }
            self.to_build.add(path.view, keys);
            self.paths.push(path);
        }
    }

    /// Takes the documents of `view` in which a part is replaced. All others are built.
    ///
    /// The sets are disjoint, so that each document is written once, and its version counts one
    /// change: a document of two replacements is built, because each statement would replace one
    /// part only.
    pub(super) fn take_replacements(&mut self, view: Handle) -> Vec<PartReplacement> {
        let is_of_view = |(of, _): &mut (Handle, PartReplacement)| of.view.table == view.view.table;
        let replacements: Vec<PartReplacement> = self
            .replacements
            .extract_if(.., is_of_view)
            .map(|(_, replacement)| replacement)
            .collect();
        let mut to_build = self.to_build.keys_of(view);
        to_build.unite(in_several(view, &replacements));
        replacements
            .into_iter()
            .map(|mut replacement| {
                replacement.keys.remove(&to_build);
                replacement
            })
            // For a few documents, a statement of its own costs more than it saves.
            .filter(|replacement| replacement.keys.len() >= part::MIN_DOCUMENTS)
            .collect()
    }
}

/// The documents that are in more than one of these replacements.
fn in_several(view: Handle, replacements: &[PartReplacement]) -> Keys {
    let mut in_one = view.no_keys();
    let mut in_several = view.no_keys();
    for replacement in replacements {
        let mut first_time = replacement.keys.clone();
        first_time.remove(&in_one);
        let mut again = replacement.keys.clone();
        again.remove(&first_time);
        in_several.unite(again);
        in_one.unite(first_time);
    }
    in_several
}
