//! Drops arguments whose variable is omitted (spec: [CoerceArgumentValues]), after validating the
//! variables of the request (spec: [CoerceVariableValues]).
//!
//! An argument, or a field of an input object, whose value is a variable without a value counts as
//! omitted. async-graphql takes such a variable for null: `where: {rating: {gte: $least}}` would
//! compare with null, and an argument would lose its default.
//!
//! [CoerceArgumentValues]: https://spec.graphql.org/October2021/#sec-Coercing-Field-Arguments
//! [CoerceVariableValues]: https://spec.graphql.org/October2021/#sec-Coercing-Variable-Values

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition,
    Selection as Item, SelectionSet, VariableDefinition,
};
use async_graphql::registry::Registry;
use async_graphql::{Name, Positioned, ServerResult, Variables};
use async_graphql_value::Value;

use crate::error::error_at;
use crate::spec::values;

/// Coerces the variables of a request to their types in an operation, and adds the defaults of those
/// without a value. Returns the first error.
pub(crate) fn coerce(
    registry: &Registry,
    operation: &OperationDefinition,
    variables: &mut Variables,
) -> ServerResult<()> {
    for definition in &operation.variable_definitions {
        let pos = definition.pos;
        let definition = &definition.node;
        let name = &definition.name.node;
        if let Some(message) = missing_required(definition, variables) {
            return Err(error_at(pos, message));
        }
        let ty = definition.var_type.node.to_string();
        match (variables.get_mut(name), &definition.default_value) {
            (Some(value), _) => values::coerce(registry, &ty, value).map_err(|reason| {
                let message = format!("Variable \"${name}\" got an invalid value: {reason}");
                error_at(pos, message)
            })?,
            (None, Some(default)) => {
                variables.insert(name.clone(), default.node.clone());
            }
            (None, None) => {}
        }
    }
    Ok(())
}

/// The error message for a variable that is required and has no value.
pub(crate) fn missing_required(
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

/// The variables of an operation that have neither a value nor a default. [`coerce`] has added the
/// defaults.
pub(crate) fn omitted(operation: &OperationDefinition, variables: &Variables) -> HashSet<Name> {
    let definitions = operation.variable_definitions.iter();
    let names = definitions.map(|definition| &definition.node.name.node);
    let omitted = names.filter(|name| !variables.contains_key(*name));
    omitted.cloned().collect()
}

/// Removes the arguments and the fields of input objects whose value is an omitted variable.
pub(crate) fn drop_omitted(document: &mut ExecutableDocument, omitted: &HashSet<Name>) {
    if omitted.is_empty() {
        return;
    }
    match &mut document.operations {
        DocumentOperations::Single(operation) => {
            in_set(&mut operation.node.selection_set.node, omitted);
        }
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                in_set(&mut operation.node.selection_set.node, omitted);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        in_set(&mut fragment.node.selection_set.node, omitted);
    }
}

fn in_set(set: &mut SelectionSet, omitted: &HashSet<Name>) {
    for item in &mut set.items {
        match &mut item.node {
            Item::Field(field) => in_field(&mut field.node, omitted),
            Item::InlineFragment(fragment) => {
                in_directives(&mut fragment.node.directives, omitted);
                in_set(&mut fragment.node.selection_set.node, omitted);
            }
            Item::FragmentSpread(spread) => in_directives(&mut spread.node.directives, omitted),
        }
    }
}

fn in_field(field: &mut Field, omitted: &HashSet<Name>) {
    in_arguments(&mut field.arguments, omitted);
    in_directives(&mut field.directives, omitted);
    in_set(&mut field.selection_set.node, omitted);
}

fn in_directives(directives: &mut [Positioned<Directive>], omitted: &HashSet<Name>) {
    for directive in directives {
        in_arguments(&mut directive.node.arguments, omitted);
    }
}

fn in_arguments(
    arguments: &mut Vec<(Positioned<Name>, Positioned<Value>)>,
    omitted: &HashSet<Name>,
) {
    arguments.retain(|(_, value)| !is_omitted(&value.node, omitted));
    for (_, value) in arguments {
        in_value(&mut value.node, omitted);
    }
}

fn in_value(value: &mut Value, omitted: &HashSet<Name>) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !is_omitted(value, omitted));
            fields
                .values_mut()
                .for_each(|value| in_value(value, omitted));
        }
        // An item of a list is not dropped, since that would move the items behind it: it is null.
        Value::List(items) => {
            for item in items {
                if is_omitted(item, omitted) {
                    *item = Value::Null;
                }
                in_value(item, omitted);
            }
        }
        _ => {}
    }
}

fn is_omitted(value: &Value, omitted: &HashSet<Name>) -> bool {
    matches!(value, Value::Variable(name) if omitted.contains(name))
}
