//! Plans for documents that are known before the first request: each operation is executed once without its
//! arguments, and its root fields record how they read, and read nothing.
//!
//! Only where the root type has no fields but those of views: a field of the application would be resolved, without the
//! request that it may depend on.

use std::any::type_name;
use std::collections::BTreeSet;
use std::sync::Mutex;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection as Item,
    SelectionSet,
};
use async_graphql::registry::Registry;
use async_graphql::{Name, Value, Variables};
use async_graphql_value::Value as Literal;

use crate::request::direct::conditions::is_condition;
use crate::spec::operation::Fragments;
use fraiseql_runtime::__graphql::lock;

/// How many variables of `@skip` and `@include` an operation may have: there is a plan for each combination of their
/// values.
const MAX_CONDITIONS: usize = 3;

/// The Rust types of roots that have no fields but those of views.
static ROOTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Says that a root type has no fields but those of views.
pub(crate) fn allow_root<T>() {
    lock(&ROOTS).insert(type_name::<T>());
}

/// In the data of a request that is executed to plan an operation.
pub(crate) struct Plan {
    pub(crate) operation: Option<String>,
    /// The defaults of the operation, with values for the variables of `@skip` and `@include`.
    pub(crate) variables: Variables,
}

/// The variables for which an operation is to be planned. Empty if it cannot be planned.
pub(crate) fn combinations(
    operation: &OperationDefinition,
    fragments: &Fragments,
) -> Vec<Variables> {
    if operation.ty != OperationType::Query {
        return Vec::new();
    }
    let mut conditions = BTreeSet::new();
    add_conditions(&operation.selection_set.node, fragments, &mut conditions);
    if conditions.len() > MAX_CONDITIONS {
        return Vec::new();
    }
    let defaults = defaults(operation);
    let all = 0..1_u32 << conditions.len();
    all.map(|combination| {
        let mut variables = defaults.clone();
        for (bit, name) in conditions.iter().enumerate() {
            let value = combination & (1 << bit) != 0;
            variables.insert((*name).clone(), Value::Boolean(value));
        }
        variables
    })
    .collect()
}

/// The defaults of an operation's variables.
pub(crate) fn defaults(operation: &OperationDefinition) -> Variables {
    let mut variables = Variables::default();
    for definition in &operation.variable_definitions {
        if let Some(default) = &definition.node.default_value {
            let name = definition.node.name.node.clone();
            variables.insert(name, default.node.clone());
        }
    }
    variables
}

fn add_conditions<'a>(
    set: &'a SelectionSet,
    fragments: &'a Fragments,
    names: &mut BTreeSet<&'a Name>,
) {
    for item in &set.items {
        for directive in item.node.directives() {
            let condition = directive.node.get_argument("if");
            if let Some(Literal::Variable(name)) = condition.map(|value| &value.node)
                && is_condition(&directive.node)
            {
                names.insert(name);
            }
        }
        let inner = match &item.node {
            Item::Field(field) => Some(&field.node.selection_set),
            Item::InlineFragment(fragment) => Some(&fragment.node.selection_set),
            Item::FragmentSpread(spread) => {
                let fragment = fragments.get(&spread.node.fragment_name.node);
                fragment.map(|fragment| &fragment.node.selection_set)
            }
        };
        if let Some(inner) = inner {
            add_conditions(&inner.node, fragments, names);
        }
    }
}

/// A document of one operation, as it is executed to plan it: without the arguments of root fields. None if a
/// field of the application might be resolved.
pub(crate) fn without_arguments(
    registry: &Registry,
    mut document: ExecutableDocument,
) -> Option<ExecutableDocument> {
    let root = registry.types.get(&registry.query_type)?;
    if !lock(&ROOTS).contains(root.rust_typename()?) {
        return None;
    }
    let mut spread = Vec::new();
    let operations = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    for operation in operations {
        remove_arguments(&mut operation.node.selection_set.node, &mut spread);
    }
    let mut seen = BTreeSet::new();
    while let Some(name) = spread.pop() {
        if let Some(fragment) = document.fragments.get_mut(&name)
            && seen.insert(name)
        {
            remove_arguments(&mut fragment.node.selection_set.node, &mut spread);
        }
    }
    Some(document)
}

/// Removes the arguments of the fields of the root. Adds the fragments that have further ones.
fn remove_arguments(set: &mut SelectionSet, spread: &mut Vec<Name>) {
    for item in &mut set.items {
        match &mut item.node {
            Item::Field(field) => field.node.arguments.clear(),
            Item::InlineFragment(fragment) => {
                remove_arguments(&mut fragment.node.selection_set.node, spread);
            }
            Item::FragmentSpread(fragment) => {
                spread.push(fragment.node.fragment_name.node.clone());
            }
        }
    }
}
