//! Whether fields of one name in the answer can be one field of the answer.
//!
//! The library compares the fields of each selection set with each other; `author { n: id }
//! author { n: name }` has its conflict between two sets. This is the rule as the specification
//! has it, [Field Selection Merging](https://spec.graphql.org/October2021/#sec-Field-Selection-Merging):
//! fields that stand for one place are one field with the same arguments, unless they are of
//! different objects; and then their types are alike all the same.
//!
//! All fields of one name are compared with the first of them, and what they select is looked
//! at together, so that a set of a thousand equal fields costs a thousand comparisons.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection as Item, SelectionSet};
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{Positioned, ServerError};

use crate::spec::operation::Fragments;

/// Finds the first conflict of an operation. Its fragments have no cycles, and its size is
/// bounded.
pub(crate) fn check(
    registry: &Registry,
    fragments: &Fragments,
    root: &str,
    set: &SelectionSet,
) -> Result<(), ServerError> {
    let check = Check {
        registry,
        fragments,
    };
    let root = registry.types.get(root);
    check.set(root, set)
}

struct Check<'a> {
    registry: &'a Registry,
    fragments: &'a Fragments,
}

/// A selection set, with the type of the objects that it selects from.
type Set<'a> = (Option<&'a MetaType>, &'a SelectionSet);

/// A field, with the type of the objects that it is of.
#[derive(Clone, Copy)]
struct Of<'a> {
    parent: Option<&'a MetaType>,
    field: &'a Positioned<Field>,
}

impl<'a> Check<'a> {
    /// A set of fields that all have names of their own has no conflict but in one of them.
    fn set(&self, parent: Option<&'a MetaType>, set: &'a SelectionSet) -> Result<(), ServerError> {
        if !are_of_different_names(set) {
            self.fields(&[(parent, set)])?;
            return self.shapes(&[(parent, set)]);
        }
        for item in &set.items {
            let Item::Field(field) = &item.node else {
                continue;
            };
            let of = Of { parent, field };
            if of.has_fields() {
                for (parent, set) in self.selected(&[of]) {
                    self.set(parent, set)?;
                }
            }
        }
        Ok(())
    }

    /// Fields of one name that can be of one object are the same field.
    fn fields(&self, sets: &[Set<'a>]) -> Result<(), ServerError> {
        for (name, group) in self.grouped(sets) {
            let mut left = group;
            while let Some(first) = left.first().copied() {
                let same = |other: &Of<'a>| first.may_be_one_object_with(other);
                let together: Vec<_> = left.iter().copied().filter(same).collect();
                for other in &together[1..] {
                    if first.field.node.name.node != other.field.node.name.node {
                        return Err(conflict(
                            name,
                            first,
                            *other,
                            &format!(
                                "\"{}\" and \"{}\" are different fields",
                                first.field.node.name.node, other.field.node.name.node
                            ),
                        ));
                    }
                    if !same_arguments(&first.field.node, &other.field.node) {
                        return Err(conflict(
                            name,
                            first,
                            *other,
                            "they have differing arguments",
                        ));
                    }
                }
                if together.iter().any(Of::has_fields) {
                    self.fields(&self.selected(&together))?;
                }
                // Fields of an interface belong to each of the objects.
                left.retain(|other| {
                    !same(other) || (!other.is_of_object() && first.is_of_object())
                });
            }
        }
        Ok(())
    }

    /// Fields of one name have types that are written alike.
    fn shapes(&self, sets: &[Set<'a>]) -> Result<(), ServerError> {
        for (name, group) in self.grouped(sets) {
            let Some((first, others)) = group.split_first() else {
                continue;
            };
            for other in others {
                if !self.same_shape(*first, *other) {
                    return Err(conflict(
                        name,
                        *first,
                        *other,
                        "they return conflicting types",
                    ));
                }
            }
            if group.iter().any(Of::has_fields) {
                self.shapes(&self.selected(&group))?;
            }
        }
        Ok(())
    }

    fn same_shape(&self, one: Of<'a>, other: Of<'a>) -> bool {
        let (Some(one), Some(other)) = (one.ty(), other.ty()) else {
            return true;
        };
        if one == other {
            return true;
        }
        let wrapping = |ty: &str| ty.replace(MetaTypeName::concrete_typename(ty), "");
        let concrete = |ty: &str| self.registry.concrete_type_by_name(ty);
        wrapping(one) == wrapping(other)
            && match (concrete(one), concrete(other)) {
                (Some(one), Some(other)) => one.is_composite() && other.is_composite(),
                _ => true,
            }
    }

    /// What the fields select.
    fn selected(&self, fields: &[Of<'a>]) -> Vec<Set<'a>> {
        fields
            .iter()
            .map(|of| {
                let ty = of
                    .ty()
                    .and_then(|ty| self.registry.concrete_type_by_name(ty));
                (ty, &of.field.node.selection_set.node)
            })
            .collect()
    }

    /// The fields of the sets, by their names in the answer.
    fn grouped(&self, sets: &[Set<'a>]) -> IndexMap<&'a str, Vec<Of<'a>>> {
        let mut groups = IndexMap::new();
        for (parent, set) in sets {
            self.group(*parent, set, &mut groups);
        }
        groups
    }

    fn group(
        &self,
        parent: Option<&'a MetaType>,
        set: &'a SelectionSet,
        groups: &mut IndexMap<&'a str, Vec<Of<'a>>>,
    ) {
        for item in &set.items {
            let (condition, set) = match &item.node {
                Item::Field(field) => {
                    let name = field.node.response_key().node.as_str();
                    groups.entry(name).or_default().push(Of { parent, field });
                    continue;
                }
                Item::FragmentSpread(spread) => {
                    let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) else {
                        continue;
                    };
                    (
                        Some(&fragment.node.type_condition),
                        &fragment.node.selection_set,
                    )
                }
                Item::InlineFragment(fragment) => (
                    fragment.node.type_condition.as_ref(),
                    &fragment.node.selection_set,
                ),
            };
            let parent = match condition {
                Some(condition) => self.registry.types.get(condition.node.on.node.as_str()),
                None => parent,
            };
            self.group(parent, &set.node, groups);
        }
    }
}

impl<'a> Of<'a> {
    fn is_of_object(&self) -> bool {
        matches!(self.parent, Some(MetaType::Object { .. }))
    }

    /// Whether there can be an object that has both fields.
    fn may_be_one_object_with(&self, other: &Self) -> bool {
        let (Some(one), Some(other_parent)) = (self.parent, other.parent) else {
            return true;
        };
        !(self.is_of_object() && other.is_of_object()) || one.name() == other_parent.name()
    }

    fn has_fields(&self) -> bool {
        !self.field.node.selection_set.node.items.is_empty()
    }

    /// The type of the field, if there is such a field.
    fn ty(&self) -> Option<&'a str> {
        let field = self.parent?.field_by_name(&self.field.node.name.node)?;
        Some(&field.ty)
    }
}

/// Whether there are only fields, each with a name of its own in the answer. Of many fields
/// that is not found out here.
fn are_of_different_names(set: &SelectionSet) -> bool {
    const FEW: usize = 24;
    fn name(item: &Positioned<Item>) -> Option<&async_graphql::Name> {
        match &item.node {
            Item::Field(field) => Some(&field.node.response_key().node),
            _ => None,
        }
    }
    set.items.len() <= FEW
        && set.items.iter().enumerate().all(|(index, item)| {
            name(item).is_some_and(|one| {
                set.items[..index]
                    .iter()
                    .all(|other| name(other) != Some(one))
            })
        })
}

fn same_arguments(one: &Field, other: &Field) -> bool {
    one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|(name, value)| {
            other
                .get_argument(&name.node)
                .is_some_and(|other| other.node == value.node)
        })
}

fn conflict(name: &str, one: Of<'_>, other: Of<'_>, why: &str) -> ServerError {
    let mut error = ServerError::new(
        format!(
            "Fields \"{name}\" conflict because {why}. Use different aliases on the fields to \
             fetch both if this was intentional."
        ),
        Some(one.field.pos),
    );
    error.locations.push(other.field.pos);
    error
}
