//! Rules of the specification that the library does not hold, or not everywhere.
//!
//! It does not look at what stands on `__typename`, nor at the directives of variables; and what
//! it knows of values is little, see [`values`](super::values).

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection as Item,
    SelectionSet, VariableDefinition,
};
use async_graphql::registry::{__DirectiveLocation as Location, MetaType, Registry};
use async_graphql::{Name, Pos, Positioned, ServerError, ServerResult, Variables};
use async_graphql_value::Value;

use super::values::{Form, Values};
use crate::spec::operation::Fragments;
use crate::spec::operation::root_type;
use crate::spec::variables as given;

/// Finds the first fault of a document. Its fragments have no cycles, and its size is bounded.
pub(crate) fn check(registry: &Registry, document: &ExecutableDocument) -> ServerResult<()> {
    for (_, operation) in document.operations.iter() {
        let walk = Walk {
            values: Values {
                registry,
                variables: &operation.node.variable_definitions,
                form: Form::Literal,
            },
            fragments: &document.fragments,
            used: HashSet::new(),
            seen: HashSet::new(),
        };
        walk.operation(&operation.node)?;
    }
    Ok(())
}

/// Finds the first fault of the variables that are given for an operation, and gives those that
/// are not their defaults:
/// [Coercing Variable Values](https://spec.graphql.org/October2021/#sec-Coercing-Variable-Values).
pub(crate) fn variables(
    registry: &Registry,
    operation: &OperationDefinition,
    variables: &mut Variables,
) -> ServerResult<()> {
    let values = Values {
        registry,
        variables: &[],
        form: Form::Json,
    };
    for definition in &operation.variable_definitions {
        let pos = definition.pos;
        let definition = &definition.node;
        let name = &definition.name.node;
        if let Some(why) = given::not_provided(definition, variables) {
            return Err(fault(pos, why));
        }
        let ty = definition.var_type.node.to_string();
        match (variables.get(name), &definition.default_value) {
            (Some(value), _) => values
                .of_type(&ty, false, &value.clone().into_value())
                .map_err(|why| {
                    fault(
                        pos,
                        format!("Variable \"${name}\" got an invalid value: {why}"),
                    )
                })?,
            (None, Some(default)) => {
                variables.insert(name.clone(), default.node.clone());
            }
            (None, None) => {}
        }
    }
    Ok(())
}

/// Whether the library finds fault with what is none: it overlooks where variables are used.
/// Those that are not used are found here.
pub(crate) fn is_mistaken(error: &ServerError) -> bool {
    error.message.starts_with("Variable \"$") && error.message.contains("is not used")
}

struct Walk<'a> {
    values: Values<'a>,
    fragments: &'a Fragments,
    /// The variables that are used.
    used: HashSet<&'a Name>,
    /// The fragments that were walked through.
    seen: HashSet<&'a Name>,
}

impl<'a> Walk<'a> {
    fn operation(mut self, operation: &'a OperationDefinition) -> ServerResult<()> {
        let variables: &'a [Positioned<VariableDefinition>] = &operation.variable_definitions;
        for variable in variables {
            let directives = &variable.node.directives;
            let mut arguments = directives.iter().flat_map(|one| &one.node.arguments);
            if arguments.any(|(_, value)| value.node.clone().into_const().is_none()) {
                let why = "There cannot be a variable in a directive of a variable.";
                return Err(fault(variable.pos, why.to_owned()));
            }
            self.directives(directives, Location::VARIABLE_DEFINITION)?;
            if let Some(default) = &variable.node.default_value {
                let ty = variable.node.var_type.node.to_string();
                let value = default.node.clone().into_value();
                let checked = self.values.of_type(&ty, false, &value);
                checked.map_err(|why| fault(default.pos, why))?;
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
        match variables.find(|variable| !self.used.contains(&variable.node.name.node)) {
            Some(unused) => Err(fault(
                unused.pos,
                format!("Variable \"${}\" is never used.", unused.node.name.node),
            )),
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
                    // One that is not there is reported by the library.
                    let Some(fragment) = self.fragments.get(name) else {
                        continue;
                    };
                    if self.seen.insert(name) {
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
                let why = format!(
                    "Unknown argument \"{}\" on field \"__typename\".",
                    name.node
                );
                return Err(fault(name.pos, why));
            }
            if !field.selection_set.node.items.is_empty() {
                let why = "Field \"__typename\" must not have a selection, since it is a String.";
                return Err(fault(field.name.pos, why.to_owned()));
            }
            return Ok(());
        }
        let known = parent.and_then(|parent| parent.field_by_name(name));
        for (index, (name, value)) in field.arguments.iter().enumerate() {
            self.uses(&value.node);
            once(&field.arguments[..index], name)?;
            // A field that is not known is reported by the library.
            let Some(known) = known else {
                continue;
            };
            let Some(wanted) = known.args.get(name.node.as_str()) else {
                let why = format!(
                    "Unknown argument \"{}\" on field \"{}\".",
                    name.node, known.name
                );
                return Err(fault(name.pos, why));
            };
            let checked = self.values.argument(wanted, &value.node);
            checked.map_err(|why| fault(value.pos, why))?;
        }
        let inside = known.and_then(|field| self.values.registry.concrete_type_by_name(&field.ty));
        self.set(inside, &field.selection_set.node)
    }

    fn directives(
        &mut self,
        directives: &'a [Positioned<Directive>],
        location: Location,
    ) -> ServerResult<()> {
        for (index, directive) in directives.iter().enumerate() {
            let name = &directive.node.name.node;
            let wrong = |why: String| Err(fault(directive.pos, why));
            let Some(known) = self.values.registry.directives.get(name.as_str()) else {
                return wrong(format!("Unknown directive \"@{name}\"."));
            };
            if !known.locations.contains(&location) {
                return wrong(format!(
                    "Directive \"@{name}\" may not be used on {location:?}."
                ));
            }
            let mut before = directives[..index].iter();
            if !known.is_repeatable && before.any(|before| before.node.name.node == *name) {
                return wrong(format!(
                    "The directive \"@{name}\" can only be used once at this location."
                ));
            }
            let arguments = &directive.node.arguments;
            for (index, (argument, value)) in arguments.iter().enumerate() {
                once(&arguments[..index], argument)?;
                let Some(wanted) = known.args.get(argument.node.as_str()) else {
                    return wrong(format!(
                        "Unknown argument \"{}\" on directive \"@{name}\".",
                        argument.node
                    ));
                };
                self.uses(&value.node);
                let checked = self.values.argument(wanted, &value.node);
                checked.map_err(|why| fault(value.pos, why))?;
            }
            for wanted in known.args.values() {
                let required = wanted.ty.ends_with('!') && wanted.default_value.is_none();
                if required && directive.node.get_argument(&wanted.name).is_none() {
                    return wrong(format!(
                        "Directive \"@{name}\" argument \"{}\" of type \"{}\" is required, but it \
                         was not provided.",
                        wanted.name, wanted.ty
                    ));
                }
            }
        }
        Ok(())
    }

    fn uses(&mut self, value: &'a Value) {
        match value {
            Value::Variable(name) => {
                self.used.insert(name);
            }
            Value::List(items) => items.iter().for_each(|item| self.uses(item)),
            Value::Object(fields) => fields.values().for_each(|value| self.uses(value)),
            _ => {}
        }
    }
}

/// An argument stands once.
fn once(
    before: &[(Positioned<Name>, Positioned<Value>)],
    name: &Positioned<Name>,
) -> ServerResult<()> {
    if before.iter().any(|(other, _)| other.node == name.node) {
        let why = format!("There can be only one argument named \"{}\".", name.node);
        return Err(fault(name.pos, why));
    }
    Ok(())
}

fn fault(pos: Pos, why: String) -> ServerError {
    ServerError::new(why, Some(pos))
}
