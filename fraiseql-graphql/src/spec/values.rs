//! Whether values fit where they stand: [Values of Correct
//! Type](https://spec.graphql.org/October2021/#sec-Values-of-Correct-Type), [Variable Usages Are
//! Allowed](https://spec.graphql.org/October2021/#sec-All-Variable-Usages-are-Allowed).
//!
//! The library takes a scalar where an input object is wanted and a string for an enum, and does
//! not look at a value that has a variable without a value in it.

use async_graphql::parser::types::VariableDefinition;
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Positioned, Value as ConstValue};
use async_graphql_value::Value;

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The text of a query.
    Literal,
    /// The JSON of a variable, in which a name of an enum is a string.
    Json,
}

/// What values are checked against.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a> {
    pub(crate) registry: &'a Registry,
    /// Those that a value may name.
    pub(crate) variables: &'a [Positioned<VariableDefinition>],
    pub(crate) form: Form,
}

impl Values<'_> {
    /// Checks what is given for an argument, or a field of an input object.
    pub(crate) fn argument(&self, wanted: &MetaInputValue, value: &Value) -> Result<(), String> {
        self.of_type(&wanted.ty, wanted.default_value.is_some(), value)
    }

    /// Checks a value of a type, for a place that has a default or not.
    pub(crate) fn of_type(&self, ty: &str, default: bool, value: &Value) -> Result<(), String> {
        if let Value::Variable(name) = value {
            return self.variable(ty, default, name);
        }
        match (MetaTypeName::create(ty), value) {
            (MetaTypeName::NonNull(_), Value::Null) => Err(unlike(ty, value)),
            (_, Value::Null) => Ok(()),
            (MetaTypeName::NonNull(ty), _) => self.of_type(ty, false, value),
            (MetaTypeName::List(ty), Value::List(items)) => {
                let mut items = items.iter();
                items.try_for_each(|item| self.of_type(ty, false, item))
            }
            // A list of one.
            (MetaTypeName::List(ty), _) => self.of_type(ty, false, value),
            (MetaTypeName::Named(name), _) => self.named(name, value),
        }
    }

    fn named(&self, name: &str, value: &Value) -> Result<(), String> {
        match (self.registry.types.get(name), value) {
            (Some(MetaType::Scalar { is_valid, .. }), _) => {
                let Some(is_valid) = is_valid else {
                    return self.variables_of(value);
                };
                // A variable within a scalar of one's own can be anything.
                match value.clone().into_const() {
                    Some(value) if !is_valid(&value) => Err(unlike(name, &value)),
                    Some(_) => Ok(()),
                    None => self.variables_of(value),
                }
            }
            (Some(MetaType::Enum { enum_values, .. }), _) => {
                let given = match value {
                    Value::Enum(name) => Some(name.as_str()),
                    Value::String(name) if self.form == Form::Json => Some(name.as_str()),
                    _ => None,
                };
                match given {
                    Some(given) if enum_values.contains_key(given) => Ok(()),
                    Some(given) => Err(format!(
                        "Value \"{given}\" does not exist in \"{name}\" enum."
                    )),
                    None => Err(unlike(name, value)),
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
                for wanted in input_fields.values() {
                    match fields.get(wanted.name.as_str()) {
                        Some(value) => self.argument(wanted, value)?,
                        None if wanted.ty.ends_with('!') && wanted.default_value.is_none() => {
                            return Err(format!(
                                "Field \"{name}.{}\" of required type \"{}\" was not provided.",
                                wanted.name, wanted.ty
                            ));
                        }
                        None => {}
                    }
                }
                if let Some(unknown) = fields
                    .keys()
                    .find(|name| !input_fields.contains_key(name.as_str()))
                {
                    return Err(format!(
                        "Field \"{unknown}\" is not defined by type \"{name}\"."
                    ));
                }
                if *oneof {
                    self.one_of(name, fields.values())?;
                }
                Ok(())
            }
            (Some(MetaType::InputObject { .. }), _) => {
                Err(format!("{name} is an object, not {value}"))
            }
            // No type of an input: that is said elsewhere.
            _ => Ok(()),
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
                let definition = self.defined(name)?;
                let default = definition.default_value.as_ref();
                definition.var_type.node.nullable
                    && default.is_none_or(|default| default.node == ConstValue::Null)
            }
            _ => false,
        };
        if nullable {
            return Err(format!(
                "The one field of {name} cannot be null, nor a variable that can be."
            ));
        }
        Ok(())
    }

    fn variables_of(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::Variable(name) => self.defined(name).map(|_| ()),
            Value::List(items) => items.iter().try_for_each(|item| self.variables_of(item)),
            Value::Object(fields) => {
                let mut values = fields.values();
                values.try_for_each(|value| self.variables_of(value))
            }
            _ => Ok(()),
        }
    }

    fn defined(&self, name: &Name) -> Result<&VariableDefinition, String> {
        let mut variables = self.variables.iter().map(|variable| &variable.node);
        variables
            .find(|variable| variable.name.node == *name)
            .ok_or_else(|| format!("Variable \"${name}\" is not defined."))
    }

    fn variable(&self, ty: &str, default: bool, name: &Name) -> Result<(), String> {
        let definition = self.defined(name)?;
        let given = definition.var_type.node.to_string();
        let value = definition.default_value.as_ref().map(|value| &value.node);
        let default = default || value.is_some_and(|value| *value != ConstValue::Null);
        let wanted = match ty.strip_suffix('!') {
            Some(nullable) if default => nullable,
            _ => ty,
        };
        if fits(&given, wanted) {
            return Ok(());
        }
        Err(format!(
            "Variable \"${name}\" of type \"{given}\" used in position expecting type \"{ty}\"."
        ))
    }
}

/// Whether each value of a type is one of another, too.
fn fits(given: &str, wanted: &str) -> bool {
    match (MetaTypeName::create(given), MetaTypeName::create(wanted)) {
        (MetaTypeName::NonNull(given), MetaTypeName::NonNull(wanted)) => fits(given, wanted),
        (_, MetaTypeName::NonNull(_)) => false,
        (MetaTypeName::NonNull(given), _) => fits(given, wanted),
        (MetaTypeName::List(given), MetaTypeName::List(wanted)) => fits(given, wanted),
        (MetaTypeName::Named(given), MetaTypeName::Named(wanted)) => given == wanted,
        _ => false,
    }
}

fn unlike(ty: &str, value: &impl std::fmt::Display) -> String {
    format!("Expected value of type \"{ty}\", found {value}.")
}
