//! Coercion of the values of variables to their types (spec: [CoerceVariableValues]).
//!
//! async-graphql reads a value only when a resolver needs it, possibly in the middle of a mutation,
//! and accepts more: a string for an enum, an integer of 64 bits for an Int.
//!
//! [CoerceVariableValues]: https://spec.graphql.org/October2021/#sec-Coercing-Variable-Values

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Value};
use async_graphql_value::Number;

/// Coerces the JSON value of a variable to a type: a single value becomes a list, `2.0` the integer
/// that it is.
pub(crate) fn coerce(registry: &Registry, ty: &str, value: &mut Value) -> Result<(), String> {
    match (MetaTypeName::create(ty), &mut *value) {
        (MetaTypeName::NonNull(_), Value::Null) => Err(mismatch(ty, value)),
        (_, Value::Null) => Ok(()),
        (MetaTypeName::NonNull(ty), _) => coerce(registry, ty, value),
        (MetaTypeName::List(ty), Value::List(items)) => {
            let mut items = items.iter_mut();
            items.try_for_each(|item| coerce(registry, ty, item))
        }
        (MetaTypeName::List(ty), _) => {
            coerce(registry, ty, value)?;
            let single = std::mem::take(value);
            *value = Value::List(vec![single]);
            Ok(())
        }
        (MetaTypeName::Named(name), _) => named(registry, name, value),
    }
}

fn named(registry: &Registry, name: &str, value: &mut Value) -> Result<(), String> {
    match (registry.types.get(name), &mut *value) {
        (Some(MetaType::Scalar { is_valid, .. }), _) => {
            let is_allowed = built_in(name, value)
                .unwrap_or_else(|| is_valid.as_ref().is_none_or(|is_valid| is_valid(value)));
            if is_allowed {
                Ok(())
            } else {
                Err(mismatch(name, value))
            }
        }
        (Some(MetaType::Enum { enum_values, .. }), _) => match value {
            Value::String(one) if enum_values.contains_key(one.as_str()) => Ok(()),
            Value::Enum(one) if enum_values.contains_key(one.as_str()) => Ok(()),
            Value::String(one) => Err(format!(
                "Value \"{one}\" does not exist in \"{name}\" enum."
            )),
            other => Err(mismatch(name, other)),
        },
        (
            Some(MetaType::InputObject {
                input_fields,
                oneof,
                ..
            }),
            Value::Object(fields),
        ) => {
            input_object(registry, name, input_fields, fields)?;
            if *oneof {
                one_of(name, fields)?;
            }
            Ok(())
        }
        (Some(MetaType::InputObject { .. }), value) => {
            Err(format!("{name} is an object, not {value}"))
        }
        // Not an input type: the document is not valid.
        _ => Ok(()),
    }
}

/// Whether a value is one of a scalar of the specification; `None` for another scalar. An integer
/// that JSON has written as a float becomes an integer.
fn built_in(name: &str, value: &mut Value) -> Option<bool> {
    Some(match (name, &mut *value) {
        ("Int", Value::Number(number)) => {
            make_integer(number);
            let int = number.as_i64().map(i32::try_from);
            matches!(int, Some(Ok(_)))
        }
        ("ID", Value::Number(number)) => {
            make_integer(number);
            number.is_i64() || number.is_u64()
        }
        ("Float", Value::Number(_))
        | ("String" | "ID", Value::String(_))
        | ("Boolean", Value::Boolean(_)) => true,
        ("Int" | "Float" | "String" | "Boolean" | "ID", _) => false,
        _ => return None,
    })
}

/// Makes `2.0` or `1e3` an integer. JSON does not tell the two apart, and JavaScript writes `1e+21`.
fn make_integer(number: &mut Number) {
    /// From here on, a float is not one integer but the nearest to several.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.is_f64()
        && let Some(float) = number.as_f64()
        && float.fract() == 0.0
        && float.abs() <= EXACT
    {
        #[expect(clippy::cast_possible_truncation, reason = "an integer of 54 bits")]
        let integer = float as i64;
        *number = Number::from(integer);
    }
}

fn input_object(
    registry: &Registry,
    name: &str,
    expected: &IndexMap<String, MetaInputValue>,
    fields: &mut IndexMap<Name, Value>,
) -> Result<(), String> {
    for expected in expected.values() {
        match fields.get_mut(expected.name.as_str()) {
            Some(value) => coerce(registry, &expected.ty, value)?,
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

fn one_of(name: &str, fields: &IndexMap<Name, Value>) -> Result<(), String> {
    let mut values = fields.values();
    match (values.next(), values.next()) {
        (Some(Value::Null), None) => Err(format!("The one field of {name} must not be null.")),
        (Some(_), None) => Ok(()),
        _ => Err(format!("{name} is an object with exactly one field.")),
    }
}

fn mismatch(ty: &str, value: &Value) -> String {
    format!("Expected value of type \"{ty}\", found {value}.")
}
