//! Validation rules of the specification that async-graphql lacks, or does not apply everywhere.
//!
//! async-graphql does not check arguments, selections and directives of `__typename`, nor the
//! directives of variables. For values, see [`values`](super::values).

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection as Item,
    SelectionSet, VariableDefinition,
};
use async_graphql::registry::{__DirectiveLocation as Location, MetaDirective, MetaType, Registry};
use async_graphql::{Name, Positioned, ServerError, ServerResult};
use async_graphql_value::Value;

use crate::error::error_at;
use crate::spec::operation::{Fragments, root_type};
use crate::spec::values::{ValueChecker, ValueSource};

/// Returns the first error of a document, whose size is limited and whose fragments have no cycles.
pub(crate) fn check(registry: &Registry, document: &ExecutableDocument) -> ServerResult<()> {
    for (_, operation) in document.operations.iter() {
        let checker = RuleChecker {
            values: ValueChecker {
                registry,
                variables: &operation.node.variable_definitions,
                source: ValueSource::Literal,
            },
            fragments: &document.fragments,
            used_variables: HashSet::new(),
            visited_fragments: HashSet::new(),
        };
        checker.operation(&operation.node)?;
    }
    Ok(())
}

/// Whether an error of async-graphql's validation is to be ignored: it reports variables as unused
/// that are used in places that it does not visit. [`check`] reports those that are unused.
pub(crate) fn is_false_positive(error: &ServerError) -> bool {
    error.message.starts_with("Variable \"$") && error.message.contains("is not used")
}

/// Checks one operation, with the fragments that it spreads.
struct RuleChecker<'a> {
    values: ValueChecker<'a>,
    fragments: &'a Fragments,
    used_variables: HashSet<&'a Name>,
    visited_fragments: HashSet<&'a Name>,
}

impl<'a> RuleChecker<'a> {
    fn operation(mut self, operation: &'a OperationDefinition) -> ServerResult<()> {
        let variables: &'a [Positioned<VariableDefinition>] = &operation.variable_definitions;
        for variable in variables {
            let directives = &variable.node.directives;
            // The directives of a variable definition are constant (`Directives[Const]`).
            let mut arguments = directives.iter().flat_map(|one| &one.node.arguments);
            if arguments.any(|(_, value)| value.node.clone().into_const().is_none()) {
                let message = "There cannot be a variable in a directive of a variable.";
                return Err(error_at(variable.pos, message));
            }
            self.directives(directives, Location::VARIABLE_DEFINITION)?;
            if let Some(default) = &variable.node.default_value {
                let ty = variable.node.var_type.node.to_string();
                let value = default.node.clone().into_value();
                let checked = self.values.check(&ty, false, &value);
                checked.map_err(|message| error_at(default.pos, message))?;
            }
        }
        let location = match operation.ty {
            OperationType::Query => Location::QUERY,
            OperationType::Mutation => Location::MUTATION,
            OperationType::Subscription => Location::SUBSCRIPTION,
        };
        self.directives(&operation.directives, location)?;
        let types = &self.values.registry.types;
        let root = root_type(self.values.registry, operation).and_then(|root| types.get(root));
        self.set(root, &operation.selection_set.node)?;
        let mut variables = variables.iter();
        match variables.find(|variable| !self.used_variables.contains(&variable.node.name.node)) {
            Some(unused) => {
                let name = &unused.node.name.node;
                let message = format!("Variable \"${name}\" is never used.");
                Err(error_at(unused.pos, message))
            }
            None => Ok(()),
        }
    }

    fn set(&mut self, parent: Option<&'a MetaType>, set: &'a SelectionSet) -> ServerResult<()> {
        let types = &self.values.registry.types;
        for item in &set.items {
            match &item.node {
                Item::Field(field) => self.field(parent, &field.node)?,
                Item::InlineFragment(fragment) => {
                    let fragment = &fragment.node;
                    self.directives(&fragment.directives, Location::INLINE_FRAGMENT)?;
                    let parent = match &fragment.type_condition {
                        Some(condition) => types.get(condition.node.on.node.as_str()),
                        None => parent,
                    };
                    self.set(parent, &fragment.selection_set.node)?;
                }
                Item::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives, Location::FRAGMENT_SPREAD)?;
                    let name = &spread.node.fragment_name.node;
                    // async-graphql reports unknown fragments.
                    let Some(fragment) = self.fragments.get(name) else {
                        continue;
                    };
                    // A fragment is checked once: its result does not depend on where it is spread.
                    if self.visited_fragments.insert(name) {
                        let fragment = &fragment.node;
                        self.directives(&fragment.directives, Location::FRAGMENT_DEFINITION)?;
                        let parent = types.get(fragment.type_condition.node.on.node.as_str());
                        self.set(parent, &fragment.selection_set.node)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, parent: Option<&'a MetaType>, field: &'a Field) -> ServerResult<()> {
        self.directives(&field.directives, Location::FIELD)?;
        let name = field.name.node.as_str();
        if name == "__typename" {
            if let Some((name, _)) = field.arguments.first() {
                let message = format!(
                    "Unknown argument \"{}\" on field \"__typename\".",
                    name.node
                );
                return Err(error_at(name.pos, message));
            }
            if !field.selection_set.node.items.is_empty() {
                let message =
                    "Field \"__typename\" must not have a selection, since it is a String.";
                return Err(error_at(field.name.pos, message));
            }
            return Ok(());
        }
        let definition = parent.and_then(|parent| parent.field_by_name(name));
        for (index, (name, value)) in field.arguments.iter().enumerate() {
            self.note_variables(&value.node);
            check_unique(&field.arguments[..index], name)?;
            // async-graphql reports unknown fields. Their arguments still use variables.
            let Some(definition) = definition else {
                continue;
            };
            let Some(expected) = definition.args.get(name.node.as_str()) else {
                let message = format!(
                    "Unknown argument \"{}\" on field \"{}\".",
                    name.node, definition.name
                );
                return Err(error_at(name.pos, message));
            };
            let checked = self.values.argument(expected, &value.node);
            checked.map_err(|message| error_at(value.pos, message))?;
        }
        let ty = definition.and_then(|field| self.values.registry.concrete_type_by_name(&field.ty));
        self.set(ty, &field.selection_set.node)
    }

    fn directives(
        &mut self,
        directives: &'a [Positioned<Directive>],
        location: Location,
    ) -> ServerResult<()> {
        for (index, directive) in directives.iter().enumerate() {
            let name = &directive.node.name.node;
            let error = |message: String| Err(error_at(directive.pos, message));
            let Some(definition) = self.values.registry.directives.get(name.as_str()) else {
                return error(format!("Unknown directive \"@{name}\"."));
            };
            if !definition.locations.contains(&location) {
                return error(format!(
                    "Directive \"@{name}\" may not be used on {location:?}."
                ));
            }
            let mut before = directives[..index].iter();
            if !definition.is_repeatable && before.any(|before| before.node.name.node == *name) {
                return error(format!(
                    "The directive \"@{name}\" can only be used once at this location."
                ));
            }
            self.directive_arguments(directive, definition)?;
        }
        Ok(())
    }

    fn directive_arguments(
        &mut self,
        directive: &'a Positioned<Directive>,
        definition: &MetaDirective,
    ) -> ServerResult<()> {
        let name = &directive.node.name.node;
        let arguments = &directive.node.arguments;
        for (index, (argument, value)) in arguments.iter().enumerate() {
            check_unique(&arguments[..index], argument)?;
            let Some(expected) = definition.args.get(argument.node.as_str()) else {
                let message = format!(
                    "Unknown argument \"{}\" on directive \"@{name}\".",
                    argument.node
                );
                return Err(error_at(directive.pos, message));
            };
            self.note_variables(&value.node);
            let checked = self.values.argument(expected, &value.node);
            checked.map_err(|message| error_at(value.pos, message))?;
        }
        for expected in definition.args.values() {
            let is_required = expected.ty.ends_with('!') && expected.default_value.is_none();
            if is_required && directive.node.get_argument(&expected.name).is_none() {
                let message = format!(
                    "Directive \"@{name}\" argument \"{}\" of type \"{}\" is required, but it was \
                     not provided.",
                    expected.name, expected.ty
                );
                return Err(error_at(directive.pos, message));
            }
        }
        Ok(())
    }

    /// Notes the variables of a value as used.
    fn note_variables(&mut self, value: &'a Value) {
        match value {
            Value::Variable(name) => {
                self.used_variables.insert(name);
            }
            Value::List(items) => items.iter().for_each(|item| self.note_variables(item)),
            Value::Object(fields) => fields.values().for_each(|value| self.note_variables(value)),
            _ => {}
        }
    }
}

/// Checks that an argument is not among those before it.
fn check_unique(
    before: &[(Positioned<Name>, Positioned<Value>)],
    name: &Positioned<Name>,
) -> ServerResult<()> {
    if before.iter().any(|(other, _)| other.node == name.node) {
        let message = format!("There can be only one argument named \"{}\".", name.node);
        return Err(error_at(name.pos, message));
    }
    Ok(())
}
