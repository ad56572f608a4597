//! Merging of selected fields that have one name in the output.
//!
//! As in GraphQL, `{ author { id } author { name } }` is `{ author { id name } }`: one field, at
//! the position of the first, with the selections of all. Their objects are merged in the same way
//! when the merged field is compiled, since it has the list of these selections. Fields under one
//! name must be the same field of the struct; one field under several names is not merged.

use std::collections::HashMap;

use super::selection::{Selected, Selection};

/// One name of the output, with everything that is selected under it.
pub(super) struct MergedField<'s> {
    pub(super) response_key: &'s str,
    pub(super) name: &'s str,
    /// The selections of the fields of its objects.
    pub(super) nested: Vec<&'s Selection>,
    /// Whether it is selected with braces.
    pub(super) has_braces: bool,
}

/// A field that cannot be merged with the first one of the same name in the output.
pub(super) enum MergeConflict<'s> {
    /// They are different fields of the struct.
    DifferentFields {
        response_key: &'s str,
        first: &'s str,
        second: &'s str,
    },
    /// One is selected with braces, the other without.
    Braces { response_key: &'s str },
}

/// Merges the fields of selections, in the order in which their names first occur.
pub(super) fn merge<'s>(
    selections: &[&'s Selection],
) -> (Vec<MergedField<'s>>, Vec<MergeConflict<'s>>) {
    let mut merged: Vec<MergedField<'s>> = Vec::new();
    let mut conflicts = Vec::new();
    let mut positions = HashMap::new();
    for selected in selections.iter().flat_map(|selection| selection.fields()) {
        let response_key = selected.response_key();
        let position = *positions.entry(response_key).or_insert_with(|| {
            merged.push(MergedField {
                response_key,
                name: &selected.name,
                nested: Vec::new(),
                has_braces: selected.fields.is_some(),
            });
            merged.len() - 1
        });
        let field = &mut merged[position];
        field.nested.extend(&selected.fields);
        conflicts.extend(conflict(field, selected, response_key));
    }
    (merged, conflicts)
}

fn conflict<'s>(
    field: &MergedField<'s>,
    selected: &'s Selected,
    response_key: &'s str,
) -> Option<MergeConflict<'s>> {
    if field.name != selected.name {
        Some(MergeConflict::DifferentFields {
            response_key,
            first: field.name,
            second: &selected.name,
        })
    } else if field.has_braces != selected.fields.is_some() {
        Some(MergeConflict::Braces { response_key })
    } else {
        None
    }
}
