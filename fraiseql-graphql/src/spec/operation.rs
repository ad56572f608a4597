//! The operation that a request executes, its root type, and the fields that it selects.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition,
    OperationType, Selection as Item, SelectionSet,
};
use async_graphql::registry::Registry;
use async_graphql::{Name, Positioned};

/// The fragments of a document by their names.
pub(crate) type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// The name of the type that an operation selects from.
pub(crate) fn root_type<'a>(
    registry: &'a Registry,
    operation: &OperationDefinition,
) -> Option<&'a str> {
    match operation.ty {
        OperationType::Query => Some(&registry.query_type),
        OperationType::Mutation => registry.mutation_type.as_deref(),
        OperationType::Subscription => registry.subscription_type.as_deref(),
    }
}

/// The operation of a document that is to be executed. `None` if the name is unknown, or if there
/// are several operations and no name; async-graphql reports both.
pub(crate) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    let mut operations = document.operations.iter();
    let found = match name {
        None => operations.next().filter(|_| operations.next().is_none()),
        Some(name) => operations.find(|(other, _)| other.is_some_and(|other| other == name)),
    };
    found.map(|(_, operation)| &operation.node)
}

/// Removes the operations that are not to be executed from a document. If it is unknown which one
/// is, none is removed.
pub(crate) fn only_operation(
    mut document: ExecutableDocument,
    name: Option<&str>,
) -> ExecutableDocument {
    let DocumentOperations::Multiple(operations) = &mut document.operations else {
        return document;
    };
    let is_known = name.is_some_and(|name| operations.contains_key(name));
    if is_known && operations.len() > 1 {
        operations.retain(|other, _| Some(other.as_str()) == name);
        let mut spread = HashSet::new();
        for operation in operations.values() {
            let set = &operation.node.selection_set.node;
            spread_in(set, &document.fragments, &mut spread);
        }
        document.fragments.retain(|name, _| spread.contains(name));
    }
    document
}

/// Collects the fragments that a selection spreads, also through others.
fn spread_in(set: &SelectionSet, fragments: &Fragments, spread: &mut HashSet<Name>) {
    for item in &set.items {
        match &item.node {
            Item::Field(field) => spread_in(&field.node.selection_set.node, fragments, spread),
            Item::InlineFragment(fragment) => {
                spread_in(&fragment.node.selection_set.node, fragments, spread);
            }
            Item::FragmentSpread(one) => {
                let name = &one.node.fragment_name.node;
                if spread.insert(name.clone())
                    && let Some(fragment) = fragments.get(name)
                {
                    spread_in(&fragment.node.selection_set.node, fragments, spread);
                }
            }
        }
    }
}

/// Collects the fields of a selection set that have the response key `key`, through fragments of
/// any type.
///
/// For the document that is being executed: async-graphql has removed from it what `@skip` and
/// `@include` exclude.
pub(crate) fn fields_with_key<'a>(
    key: &str,
    set: &'a SelectionSet,
    fragments: &'a Fragments,
    found: &mut Vec<&'a Field>,
) {
    for item in &set.items {
        match &item.node {
            Item::Field(field) => {
                if field.node.response_key().node == key {
                    found.push(&field.node);
                }
            }
            Item::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    fields_with_key(key, &fragment.node.selection_set.node, fragments, found);
                }
            }
            Item::InlineFragment(fragment) => {
                fields_with_key(key, &fragment.node.selection_set.node, fragments, found);
            }
        }
    }
}
