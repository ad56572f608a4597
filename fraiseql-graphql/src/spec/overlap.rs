//! Validation rule: fields that are merged have the same name and the same arguments ([Field Selection
//! Merging](https://spec.graphql.org/October2021/#sec-Field-Selection-Merging)), for arguments with
//! lists, and in operations for which the schema has no type.
//!
//! apollo-compiler has this rule, but compares two lists only as far as the shorter one: `[]` is equal
//! to any other list. And it does not look into an operation without a type, such as a subscription
//! beside the query that is executed. Everything else about merging is left to it.
//!
//! All fields of one response key are compared with the first of them, and their selections are merged
//! and then checked once, so that a thousand equal fields cost a thousand comparisons.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, Field, Selection as Item, SelectionSet};
use async_graphql::registry::{MetaType, Registry};
use async_graphql::{Positioned, ServerError};
use async_graphql_value::Value;

use crate::error::error_at;
use crate::spec::operation::{Fragments, root_type};

/// Returns the first conflict of a document, whose size is limited and whose fragments have no cycles.
pub(crate) fn check(registry: &Registry, document: &ExecutableDocument) -> Result<(), ServerError> {
    let operations = document.operations.iter();
    let fragments = document.fragments.values();
    let mut sets = operations
        .map(|(_, operation)| &operation.node.selection_set.node)
        .chain(fragments.map(|fragment| &fragment.node.selection_set.node));
    let mut operations = document.operations.iter();
    let has_unknown_root =
        operations.any(|(_, operation)| root_type(registry, &operation.node).is_none());
    if !has_unknown_root && !sets.any(has_lists) {
        return Ok(());
    }
    let checker = OverlapChecker {
        registry,
        fragments: &document.fragments,
    };
    for (_, operation) in document.operations.iter() {
        let root = root_type(registry, &operation.node).and_then(|root| registry.types.get(root));
        checker.fields(&[(root, &operation.node.selection_set.node)])?;
    }
    Ok(())
}

/// Whether an argument of a field contains a list.
fn has_lists(set: &SelectionSet) -> bool {
    fn is_list(value: &Value) -> bool {
        match value {
            Value::List(_) => true,
            Value::Object(fields) => fields.values().any(is_list),
            _ => false,
        }
    }
    set.items.iter().any(|item| match &item.node {
        Item::Field(field) => {
            let field = &field.node;
            field
                .arguments
                .iter()
                .any(|(_, value)| is_list(&value.node))
                || has_lists(&field.selection_set.node)
        }
        Item::InlineFragment(fragment) => has_lists(&fragment.node.selection_set.node),
        Item::FragmentSpread(_) => false,
    })
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
    /// Checks that fields of one response key that can be selected from one object have the same name
    /// and arguments.
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

fn check_same_field(
    key: &str,
    one: TypedField<'_>,
    other: TypedField<'_>,
) -> Result<(), ServerError> {
    let (name, other_name) = (&one.field.node.name.node, &other.field.node.name.node);
    let reason = if name != other_name {
        format!("\"{name}\" and \"{other_name}\" are different fields")
    } else if same_arguments(&one.field.node, &other.field.node) {
        return Ok(());
    } else {
        "they have differing arguments".to_owned()
    };
    let message = format!(
        "Fields \"{key}\" conflict because {reason}. Use different aliases on the fields to fetch both \
         if this was intentional."
    );
    let mut error = error_at(one.field.pos, message);
    error.locations.push(other.field.pos);
    Err(error)
}

fn same_arguments(one: &Field, other: &Field) -> bool {
    one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|(name, value)| {
            other
                .get_argument(&name.node)
                .is_some_and(|other| other.node == value.node)
        })
}
