//! Validation rule: fields with one response key can be merged ([Field Selection
//! Merging](https://spec.graphql.org/October2021/#sec-Field-Selection-Merging)).
//!
//! async-graphql compares the fields within each selection set. In `author { n: id } author { n:
//! name }`, the conflict is between two sets. This is the rule of the specification: fields with
//! the same response key must be the same field with the same arguments, unless they are fields of
//! different objects; even then, their types must have the same shape.
//!
//! The specification compares all pairs. Here all fields of one response key are compared with the
//! first of them, and their selections are merged and then checked once, so that a thousand equal
//! fields cost a thousand comparisons. That is enough because "the same field and arguments" is an
//! equivalence: if each field equals the first, they equal each other.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection as Item, SelectionSet};
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{Positioned, ServerError};

use crate::error::error_at;
use crate::spec::operation::Fragments;

/// Returns the first conflict of an operation, whose size is limited and whose fragments have no
/// cycles.
pub(crate) fn check(
    registry: &Registry,
    fragments: &Fragments,
    root: &str,
    set: &SelectionSet,
) -> Result<(), ServerError> {
    let checker = OverlapChecker {
        registry,
        fragments,
    };
    let root = registry.types.get(root);
    checker.set(root, set)
}

struct OverlapChecker<'a> {
    registry: &'a Registry,
    fragments: &'a Fragments,
}

/// A selection set, with the type that it selects from.
type TypedSet<'a> = (Option<&'a MetaType>, &'a SelectionSet);

/// A field, with the type that it is selected from.
#[derive(Clone, Copy)]
struct TypedField<'a> {
    parent: Option<&'a MetaType>,
    field: &'a Positioned<Field>,
}

impl<'a> OverlapChecker<'a> {
    /// Checks one selection set.
    ///
    /// In a set without fragments in which each response key is unique, there is nothing to merge:
    /// only the selections of its fields are checked.
    fn set(&self, parent: Option<&'a MetaType>, set: &'a SelectionSet) -> Result<(), ServerError> {
        if !has_unique_keys(set) {
            self.fields(&[(parent, set)])?;
            return self.shapes(&[(parent, set)]);
        }
        for item in &set.items {
            let Item::Field(field) = &item.node else {
                continue;
            };
            let field = TypedField { parent, field };
            if field.has_selection() {
                for (parent, set) in self.selections(&[field]) {
                    self.set(parent, set)?;
                }
            }
        }
        Ok(())
    }

    /// Checks that fields of one response key that can be selected from one object are the same
    /// field with the same arguments (`FieldsInSetCanMerge` of the specification).
    fn fields(&self, sets: &[TypedSet<'a>]) -> Result<(), ServerError> {
        for (key, mut fields) in self.by_key(sets) {
            // Each round removes at least the first field, so the loop ends.
            while let Some(first) = fields.first().copied() {
                let merges = |other: &TypedField<'a>| first.may_share_object(other);
                let merged: Vec<_> = fields.iter().copied().filter(merges).collect();
                for other in &merged[1..] {
                    check_same_field(key, first, *other)?;
                }
                if merged.iter().any(TypedField::has_selection) {
                    self.fields(&self.selections(&merged))?;
                }
                // A field of an interface merges with the fields of each object type, so it stays
                // for the next object type, unless it was the first.
                fields.retain(|other| {
                    !merges(other) || (!other.is_of_object() && first.is_of_object())
                });
            }
        }
        Ok(())
    }

    /// Checks that fields of one response key have types of the same shape, whichever object they
    /// are selected from (`SameResponseShape`).
    fn shapes(&self, sets: &[TypedSet<'a>]) -> Result<(), ServerError> {
        for (key, fields) in self.by_key(sets) {
            let Some((first, others)) = fields.split_first() else {
                continue;
            };
            for other in others {
                if !self.same_shape(*first, *other) {
                    return Err(conflict(
                        key,
                        *first,
                        *other,
                        "they return conflicting types",
                    ));
                }
            }
            if fields.iter().any(TypedField::has_selection) {
                self.shapes(&self.selections(&fields))?;
            }
        }
        Ok(())
    }

    fn same_shape(&self, one: TypedField<'a>, other: TypedField<'a>) -> bool {
        let (Some(one), Some(other)) = (one.ty(), other.ty()) else {
            return true;
        };
        if one == other {
            return true;
        }
        // `[!]!` of `[Comment!]!`: lists and nulls must agree.
        let wrapping = |ty: &str| ty.replace(MetaTypeName::concrete_typename(ty), "");
        let named = |ty: &str| self.registry.concrete_type_by_name(ty);
        wrapping(one) == wrapping(other)
            && match (named(one), named(other)) {
                (Some(one), Some(other)) => one.is_composite() && other.is_composite(),
                _ => true,
            }
    }

    /// The selection sets of the fields.
    fn selections(&self, fields: &[TypedField<'a>]) -> Vec<TypedSet<'a>> {
        fields
            .iter()
            .map(|field| {
                let ty = field
                    .ty()
                    .and_then(|ty| self.registry.concrete_type_by_name(ty));
                (ty, &field.field.node.selection_set.node)
            })
            .collect()
    }

    /// The fields of the sets, fragments included, by their response keys.
    fn by_key(&self, sets: &[TypedSet<'a>]) -> IndexMap<&'a str, Vec<TypedField<'a>>> {
        let mut fields = IndexMap::new();
        for (parent, set) in sets {
            self.collect(*parent, set, &mut fields);
        }
        fields
    }

    fn collect(
        &self,
        parent: Option<&'a MetaType>,
        set: &'a SelectionSet,
        fields: &mut IndexMap<&'a str, Vec<TypedField<'a>>>,
    ) {
        for item in &set.items {
            let (condition, set) = match &item.node {
                Item::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    fields
                        .entry(key)
                        .or_default()
                        .push(TypedField { parent, field });
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
            self.collect(parent, &set.node, fields);
        }
    }
}

impl<'a> TypedField<'a> {
    fn is_of_object(&self) -> bool {
        matches!(self.parent, Some(MetaType::Object { .. }))
    }

    /// Whether both fields can be selected from one object. Two object types have no object in
    /// common; with an interface or a union, there may be one.
    fn may_share_object(&self, other: &Self) -> bool {
        let (Some(one), Some(other_parent)) = (self.parent, other.parent) else {
            return true;
        };
        !(self.is_of_object() && other.is_of_object()) || one.name() == other_parent.name()
    }

    fn has_selection(&self) -> bool {
        !self.field.node.selection_set.node.items.is_empty()
    }

    /// The type of the field; `None` for an unknown field, which async-graphql reports.
    fn ty(&self) -> Option<&'a str> {
        let field = self.parent?.field_by_name(&self.field.node.name.node)?;
        Some(&field.ty)
    }
}

/// Whether a set has only fields, each with its own response key. Also `false` for a large set,
/// which is not searched.
fn has_unique_keys(set: &SelectionSet) -> bool {
    /// The pairwise comparison is quadratic.
    const MAX_ITEMS: usize = 24;
    fn key(item: &Positioned<Item>) -> Option<&async_graphql::Name> {
        match &item.node {
            Item::Field(field) => Some(&field.node.response_key().node),
            _ => None,
        }
    }
    set.items.len() <= MAX_ITEMS
        && set.items.iter().enumerate().all(|(index, item)| {
            key(item).is_some_and(|of_item| {
                let mut before = set.items[..index].iter();
                before.all(|other| key(other) != Some(of_item))
            })
        })
}

fn check_same_field(
    key: &str,
    one: TypedField<'_>,
    other: TypedField<'_>,
) -> Result<(), ServerError> {
    let (name, other_name) = (&one.field.node.name.node, &other.field.node.name.node);
    if name != other_name {
        let reason = format!("\"{name}\" and \"{other_name}\" are different fields");
        return Err(conflict(key, one, other, &reason));
    }
    if !same_arguments(&one.field.node, &other.field.node) {
        return Err(conflict(key, one, other, "they have differing arguments"));
    }
    Ok(())
}

fn same_arguments(one: &Field, other: &Field) -> bool {
    one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|(name, value)| {
            other
                .get_argument(&name.node)
                .is_some_and(|other| other.node == value.node)
        })
}

fn conflict(key: &str, one: TypedField<'_>, other: TypedField<'_>, reason: &str) -> ServerError {
    let mut error = error_at(
        one.field.pos,
        format!(
            "Fields \"{key}\" conflict because {reason}. Use different aliases on the fields to \
             fetch both if this was intentional."
        ),
    );
    error.locations.push(other.field.pos);
    error
}
