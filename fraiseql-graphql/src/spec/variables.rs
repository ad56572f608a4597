//! Variables for which nothing is given: [Coercing Field
//! Arguments](https://spec.graphql.org/October2021/#sec-Coercing-Field-Arguments).
//!
//! An argument or a field of an input object whose value is such a variable is as if it were not
//! there. The library takes it for null: `where: {rating: {gte: $least}}` would compare with null,
//! and an argument would lose its default.

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition,
    Selection as Item, SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Positioned, Variables};
use async_graphql_value::Value;

/// The variables of an operation for which there is neither a value nor a default.
pub(crate) fn missing(operation: &OperationDefinition, variables: &Variables) -> HashSet<Name> {
    let definitions = operation.variable_definitions.iter();
    let names = definitions.map(|definition| &definition.node.name.node);
    let missing = names.filter(|name| !variables.contains_key(*name));
    missing.cloned().collect()
}

/// Why a request without a value for this variable cannot be run, if there is none.
pub(crate) fn not_provided(
    definition: &VariableDefinition,
    variables: &Variables,
) -> Option<String> {
    let VariableDefinition {
        name,
        var_type,
        default_value,
        ..
    } = definition;
    let is_missing =
        !var_type.node.nullable && default_value.is_none() && !variables.contains_key(&name.node);
    is_missing.then(|| {
        format!(
            "Variable \"${}\" of required type \"{}\" was not provided.",
            name.node, var_type.node
        )
    })
}

/// Takes what is not given out of a document.
pub(crate) fn leave_out(document: &mut ExecutableDocument, missing: &HashSet<Name>) {
    if missing.is_empty() {
        return;
    }
    match &mut document.operations {
        DocumentOperations::Single(one) => in_set(&mut one.node.selection_set.node, missing),
        DocumentOperations::Multiple(all) => {
            for one in all.values_mut() {
                in_set(&mut one.node.selection_set.node, missing);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        in_set(&mut fragment.node.selection_set.node, missing);
    }
}

fn in_set(set: &mut SelectionSet, missing: &HashSet<Name>) {
    for item in &mut set.items {
        match &mut item.node {
            Item::Field(field) => in_field(&mut field.node, missing),
            Item::InlineFragment(fragment) => {
                in_directives(&mut fragment.node.directives, missing);
                in_set(&mut fragment.node.selection_set.node, missing);
            }
            Item::FragmentSpread(spread) => in_directives(&mut spread.node.directives, missing),
        }
    }
}

fn in_field(field: &mut Field, missing: &HashSet<Name>) {
    in_arguments(&mut field.arguments, missing);
    in_directives(&mut field.directives, missing);
    in_set(&mut field.selection_set.node, missing);
}

fn in_directives(directives: &mut [Positioned<Directive>], missing: &HashSet<Name>) {
    for directive in directives {
        in_arguments(&mut directive.node.arguments, missing);
    }
}

fn in_arguments(
    arguments: &mut Vec<(Positioned<Name>, Positioned<Value>)>,
    missing: &HashSet<Name>,
) {
    arguments.retain(|(_, value)| !is_missing(&value.node, missing));
    for (_, value) in arguments {
        in_value(&mut value.node, missing);
    }
}

fn in_value(value: &mut Value, missing: &HashSet<Name>) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !is_missing(value, missing));
            fields
                .values_mut()
                .for_each(|value| in_value(value, missing));
        }
        // An item of a list has a place, and is null.
        Value::List(items) => {
            for item in items {
                if is_missing(item, missing) {
                    *item = Value::Null;
                }
                in_value(item, missing);
            }
        }
        _ => {}
    }
}

fn is_missing(value: &Value, missing: &HashSet<Name>) -> bool {
    matches!(value, Value::Variable(name) if missing.contains(name))
}
