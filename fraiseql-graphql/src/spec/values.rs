//! Validation of values against their expected types: [Values of Correct
//! Type](https://spec.graphql.org/October2021/#sec-Values-of-Correct-Type), [All Variable Usages
//! Are Allowed](https://spec.graphql.org/October2021/#sec-All-Variable-Usages-are-Allowed).
//!
//! async-graphql accepts a scalar for an input object and a string for an enum, and does not check
//! a value that contains a variable without a value.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::VariableDefinition;
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Positioned, Value as ConstValue};
use async_graphql_value::Value;

/// The origin of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueSource {
    /// A literal in a query.
    Literal,
    /// The JSON of a variable, in which an enum value is a string.
    Json,
}

/// Checks values against types of the schema.
#[derive(Clone, Copy)]
pub(crate) struct ValueChecker<'a> {
    pub(crate) registry: &'a Registry,
    /// The variables that a value may contain.
    pub(crate) variables: &'a [Positioned<VariableDefinition>],
    pub(crate) source: ValueSource,
}

impl ValueChecker<'_> {
    /// Checks the value of an argument, or of a field of an input object.
    pub(crate) fn argument(&self, expected: &MetaInputValue, value: &Value) -> Result<(), String> {
        self.check(&expected.ty, expected.default_value.is_some(), value)
    }

    /// Checks a value against a type. `has_default` is whether its position has a default value.
    pub(crate) fn check(&self, ty: &str, has_default: bool, value: &Value) -> Result<(), String> {
        if let Value::Variable(name) = value {
            return self.variable(ty, has_default, name);
        }
        match (MetaTypeName::create(ty), value) {
            (MetaTypeName::NonNull(_), Value::Null) => Err(mismatch(ty, value)),
            (_, Value::Null) => Ok(()),
            (MetaTypeName::NonNull(ty), _) => self.check(ty, false, value),
            (MetaTypeName::List(ty), Value::List(items)) => {
                let mut items = items.iter();
                items.try_for_each(|item| self.check(ty, false, item))
            }
            // By the coercion rules, a single value is a list of one.
            (MetaTypeName::List(ty), _) => self.check(ty, false, value),
            (MetaTypeName::Named(name), _) => self.named(name, value),
        }
    }

    fn named(&self, name: &str, value: &Value) -> Result<(), String> {
        match (self.registry.types.get(name), value) {
            (Some(MetaType::Scalar { is_valid, .. }), _) => {
                let Some(is_valid) = is_valid else {
                    return self.variables_in(value);
                };
                match value.clone().into_const() {
                    Some(value) if !is_valid(&value) => Err(mismatch(name, &value)),
                    Some(_) => Ok(()),
                    // A custom scalar may contain a variable, whose type is then not restricted.
                    None => self.variables_in(value),
                }
            }
            (Some(MetaType::Enum { enum_values, .. }), _) => {
                let enum_value = match value {
                    Value::Enum(name) => Some(name.as_str()),
                    Value::String(name) if self.source == ValueSource::Json => Some(name.as_str()),
                    _ => None,
                };
                match enum_value {
                    Some(value) if enum_values.contains_key(value) => Ok(()),
                    Some(value) => Err(format!(
                        "Value \"{value}\" does not exist in \"{name}\" enum."
                    )),
                    None => Err(mismatch(name, value)),
                }
            }
            (
                Some(MetaType::InputObject {
                    input_fields,
                    oneof,
                    ..
                }),
                Value::Object(fields),
            ) => {
                self.input_object(name, input_fields, fields)?;
                if *oneof {
                    self.one_of(name, fields.values())?;
                }
                Ok(())
            }
            (Some(MetaType::InputObject { .. }), _) => {
                Err(format!("{name} is an object, not {value}"))
            }
            // Not an input type: async-graphql reports it.
            _ => Ok(()),
        }
    }

    fn input_object(
        &self,
        name: &str,
        expected: &IndexMap<String, MetaInputValue>,
        fields: &IndexMap<Name, Value>,
    ) -> Result<(), String> {
        for expected in expected.values() {
            match fields.get(expected.name.as_str()) {
                Some(value) => self.argument(expected, value)?,
                None if expected.ty.ends_with('!') && expected.default_value.is_none() => {
                    return Err(format!(
                        "Field \"{name}.{}\" of required type \"{}\" was not provided.",
                        expected.name, expected.ty
                    ));
                }
                None => {}
            }
        }
        let mut names = fields.keys();
        match names.find(|name| !expected.contains_key(name.as_str())) {
            Some(unknown) => Err(format!(
                "Field \"{unknown}\" is not defined by type \"{name}\"."
            )),
            None => Ok(()),
        }
    }

    fn one_of<'v>(
        &self,
        name: &str,
        mut values: impl Iterator<Item = &'v Value>,
    ) -> Result<(), String> {
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(format!("{name} is an object with exactly one field."));
        };
        let nullable = match value {
            Value::Null => true,
            Value::Variable(name) => {
                let definition = self.definition(name)?;
                let default = definition.default_value.as_ref();
                definition.var_type.node.nullable
                    && default.is_none_or(|default| default.node == ConstValue::Null)
            }
            _ => false,
        };
        if nullable {
            return Err(format!(
                "The one field of {name} must not be null, nor a nullable variable."
            ));
        }
        Ok(())
    }

    /// Checks that the variables in a value of any type are defined.
    fn variables_in(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::Variable(name) => self.definition(name).map(|_| ()),
            Value::List(items) => items.iter().try_for_each(|item| self.variables_in(item)),
            Value::Object(fields) => {
                let mut values = fields.values();
                values.try_for_each(|value| self.variables_in(value))
            }
            _ => Ok(()),
        }
    }

    fn definition(&self, name: &Name) -> Result<&VariableDefinition, String> {
        let mut variables = self.variables.iter().map(|variable| &variable.node);
        variables
            .find(|variable| variable.name.node == *name)
            .ok_or_else(|| format!("Variable \"${name}\" is not defined."))
    }

    fn variable(&self, ty: &str, has_default: bool, name: &Name) -> Result<(), String> {
        let definition = self.definition(name)?;
        let variable_type = definition.var_type.node.to_string();
        let value = definition.default_value.as_ref().map(|value| &value.node);
        // IsVariableUsageAllowed of the specification: with a default on either side, a nullable
        // variable is allowed in a position that does not accept null.
        let has_default = has_default || value.is_some_and(|value| *value != ConstValue::Null);
        let expected = match ty.strip_suffix('!') {
            Some(nullable) if has_default => nullable,
            _ => ty,
        };
        if is_subtype(&variable_type, expected) {
            return Ok(());
        }
        Err(format!(
            "Variable \"${name}\" of type \"{variable_type}\" used in position expecting type \
             \"{ty}\"."
        ))
    }
}

/// Whether each value of a type is also a value of the expected type.
fn is_subtype(ty: &str, expected: &str) -> bool {
    match (MetaTypeName::create(ty), MetaTypeName::create(expected)) {
        (MetaTypeName::NonNull(ty), MetaTypeName::NonNull(expected)) => is_subtype(ty, expected),
        (_, MetaTypeName::NonNull(_)) => false,
        (MetaTypeName::NonNull(ty), _) => is_subtype(ty, expected),
        (MetaTypeName::List(ty), MetaTypeName::List(expected)) => is_subtype(ty, expected),
        (MetaTypeName::Named(ty), MetaTypeName::Named(expected)) => ty == expected,
        _ => false,
    }
}

fn mismatch(ty: &str, value: &impl std::fmt::Display) -> String {
    format!("Expected value of type \"{ty}\", found {value}.")
}
