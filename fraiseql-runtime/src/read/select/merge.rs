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
    let mut positions = Positions::default();
    for selected in selections.iter().flat_map(|selection| selection.fields()) {
        let response_key = selected.response_key();
        let position = positions.of(response_key, &merged);
        if position == merged.len() {
            merged.push(MergedField {
                response_key,
                name: &selected.name,
                nested: Vec::new(),
                has_braces: selected.fields.is_some(),
            });
        }
        let field = &mut merged[position];
        field.nested.extend(&selected.fields);
        conflicts.extend(conflict(field, selected, response_key));
    }
    (merged, conflicts)
}

/// Up to this number of fields, they are compared one by one.
const MAX_COMPARED: usize = 16;

/// The places of names in the output.
#[derive(Default)]
struct Positions<'s> {
    /// Those of fields that are merged, once there are many.
    by_name: HashMap<&'s str, usize>,
}

impl<'s> Positions<'s> {
    /// The position of a name, which is the next one if it is new.
    fn of(&mut self, name: &'s str, merged: &[MergedField<'s>]) -> usize {
        if merged.len() <= MAX_COMPARED {
            let mut names = merged.iter().map(|field| field.response_key);
            return names.position(|key| key == name).unwrap_or(merged.len());
        }
        let known = self.by_name.len();
        for (position, field) in merged.iter().enumerate().skip(known) {
            self.by_name.insert(field.response_key, position);
        }
        self.by_name.get(name).copied().unwrap_or(merged.len())
    }
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

#[cfg(test)]
mod tests {
    use super::merge;
    use crate::select::Selection;

    /// Also beyond the number of fields that are compared one by one.
    #[test]
    fn fields_are_merged_in_the_order_of_their_names() {
        for count in [1, 15, 16, 17, 18, 60] {
            let names: Vec<String> = (0..count).map(|n| format!("f{n}")).collect();
            let twice = format!("{{ {0} {0} a: f0 }}", names.join(" "));
            let selection: Selection = twice.parse().unwrap();
            let (merged, conflicts) = merge(&[&selection, &selection]);
            assert!(conflicts.is_empty());
            let keys: Vec<&str> = merged.iter().map(|field| field.response_key).collect();
            let expected: Vec<&str> = names.iter().map(String::as_str).chain(["a"]).collect();
            assert_eq!(keys, expected);
        }
    }
}
