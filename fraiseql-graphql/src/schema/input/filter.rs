//! Reads the argument `where` as a filter.

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value};

use super::filtered::{FilterField, Filtered};
use fraiseql_runtime::list::{Filter, Operator};
use fraiseql_runtime::schema::View;

/// Reads the argument `where` as a filter.
pub(crate) fn filter(view: &'static View, value: &Value) -> Result<Filter, String> {
    of(Filtered::Documents(view), value)
}

fn of(filtered: Filtered, value: &Value) -> Result<Filter, String> {
    let Value::Object(fields) = value else {
        return Err(format!(
            "{} is an object, not {value}",
            filtered.type_name()
        ));
    };
    let mut all = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        match (name.as_str(), value) {
            // A condition that is null counts as omitted.
            (_, Value::Null) => {}
            ("and", value) => all.push(Filter::all(several(filtered, value)?)),
            ("or", value) => all.push(Filter::any(several(filtered, value)?)),
            ("not", value) => all.push(Filter::not(of(filtered, value)?)),
            (name, value) => of_field(filtered, name, value, &mut all)?,
        }
    }
    Ok(Filter::all(all))
}

/// Reads a list of filters. By the coercion rules of GraphQL, a single value is a list of one.
fn several(filtered: Filtered, value: &Value) -> Result<Vec<Filter>, String> {
    match value {
        Value::List(values) => values.iter().map(|value| of(filtered, value)).collect(),
        value => Ok(vec![of(filtered, value)?]),
    }
}

/// Reads the conditions on one field.
fn of_field(
    filtered: Filtered,
    name: &str,
    value: &Value,
    all: &mut Vec<Filter>,
) -> Result<(), String> {
    let field = filtered.field(name);
    if let Some(FilterField::Search) = field {
        let Value::String(text) = value else {
            return Err(format!("{name} is a text, not {value}"));
        };
        all.push(Filter::search_in(name, text.as_str()));
        return Ok(());
    }
    let Value::Object(conditions) = value else {
        return Err(format!(
            "{name} is compared by an operator, such as {{eq: {value}}}"
        ));
    };
    if conditions.is_empty() {
        return Err(format!(
            "{name}: {{}} compares with nothing; omit the field to match all values"
        ));
    }
    for (operator, value) in conditions {
        if *value == Value::Null {
            return Err(format!(
                "{name}: {{{operator}: null}} matches no value; use {{isNull: true}} to match null, or omit \
                 the comparison"
            ));
        }
        match (field, operator.as_str()) {
            (Some(FilterField::Parts(part)), "some") => {
                all.push(Filter::some(name, of(Filtered::Parts(part), value)?));
            }
            (Some(FilterField::Part(part)), "is") => {
                all.push(Filter::is(name, of(Filtered::Parts(part), value)?));
            }
            (Some(FilterField::Json), "at") => at(name, value, all)?,
            _ => all.push(comparison(field, name, operator, value)?),
        }
    }
    Ok(())
}

/// Reads one operator and its operand.
fn comparison(
    field: Option<FilterField>,
    name: &str,
    operator: &str,
    value: &Value,
) -> Result<Filter, String> {
    let operator = operator_of(name, operator)?;
    let is_list = matches!(field, Some(FilterField::Value { ty, .. }) if ty.list.is_some());
    let takes_list = match field {
        Some(FilterField::Json) => false,
        _ => operator.takes_list() || is_list && operator != Operator::IsNull,
    };
    Ok(Filter::compare(
        name,
        operator,
        json(name, value, takes_list)?,
    ))
}

/// Reads comparisons of values in JSON, each at a path.
fn at(name: &str, value: &Value, all: &mut Vec<Filter>) -> Result<(), String> {
    // By the coercion rules of GraphQL, a single value is a list of one.
    let comparisons = match value {
        Value::List(values) => values.as_slice(),
        value => std::slice::from_ref(value),
    };
    for comparison in comparisons {
        let Value::Object(fields) = comparison else {
            return Err(format!("{name}: at is an object with a path, not {value}"));
        };
        let path = keys(name, fields)?;
        let operators = fields.iter().filter(|(field, _)| *field != "path");
        let before = all.len();
        for (operator, value) in operators.filter(|(_, value)| **value != Value::Null) {
            let operator = operator_of(name, operator)?;
            let value = json(name, value, operator.takes_list())?;
            all.push(Filter::at(name, path.clone(), operator, value));
        }
        if all.len() == before {
            return Err(format!(
                "{name}: at has a path and compares with nothing; add an operator, such as {{eq: ..}}"
            ));
        }
    }
    Ok(())
}

/// The keys of a path.
fn keys(name: &str, fields: &IndexMap<Name, Value>) -> Result<Vec<String>, String> {
    let keys = match fields.get("path") {
        Some(Value::List(keys)) => keys.as_slice(),
        Some(key) => std::slice::from_ref(key),
        None => &[],
    };
    let keys = keys.iter().map(|key| match key {
        Value::String(key) => Ok(key.clone()),
        key => Err(format!(
            "{name}: a path has keys, which are texts, not {key}"
        )),
    });
    keys.collect()
}

fn operator_of(field: &str, name: &str) -> Result<Operator, String> {
    Operator::from_name(name).ok_or_else(|| format!("{field}: unknown operator {name}"))
}

/// An operand. By the coercion rules of GraphQL, a single value is a list of one.
fn json(field: &str, value: &Value, takes_list: bool) -> Result<serde_json::Value, String> {
    let value = value.clone().into_json();
    let value = value.map_err(|error| format!("{field}: {error}"))?;
    Ok(match takes_list && !value.is_array() {
        true => serde_json::Value::Array(vec![value]),
        false => value,
    })
}
