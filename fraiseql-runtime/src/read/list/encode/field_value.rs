//! Encodes the values of filters and cursors as parameters, or rejects them.

use serde_json::Value;

use super::binary_value::{BinaryValue, TypeOids};
use super::value_type::ValueType;
use crate::read::list::error::{ListError, truncated};
use crate::schema::scalar::{ElementNull, ScalarType};

/// The maximum number of elements in a list.
const MAX_ELEMENTS: usize = 1_000;

/// The maximum length of a path: PostgreSQL parses it for each execution.
const MAX_PATH_BYTES: usize = 100_000;

/// Encodes a value of the field's type, which may be a list.
pub(in crate::read::list) fn value(
    field: &'static str,
    ty: &ScalarType,
    value: &Value,
) -> Result<BinaryValue, ListError> {
    if let Some(nulls) = ty.list {
        return elements(field, ty, value, nulls == ElementNull::Yes);
    }
    let value_type = ValueType::of(ty);
    match value_type.encode(value) {
        Some(bytes) => Ok(scalar(value_type, ty, bytes)),
        None => {
            let hint = if value.is_null() {
                "; use `isNull` to find null"
            } else {
                ""
            };
            let expected = format!("{}{hint}", value_type.expected());
            Err(mismatch(field, value, expected))
        }
    }
}

/// Encodes the list of values of `in` and `notIn`, and of `contains` and `hasAny`: a null is equal to no value.
pub(in crate::read::list) fn element_list(
    field: &'static str,
    ty: &ScalarType,
    value: &Value,
) -> Result<BinaryValue, ListError> {
    elements(field, ty, value, false)
}

fn elements(
    field: &'static str,
    ty: &ScalarType,
    value: &Value,
    nulls: bool,
) -> Result<BinaryValue, ListError> {
    let value_type = ValueType::of(ty);
    let values = list_of(field, value, || {
        format!("a list in which each value is {}", value_type.expected())
    })?;
    let elements: Vec<Option<Vec<u8>>> = values
        .iter()
        .map(|value| match value_type.encode(value) {
            Some(bytes) => Ok(Some(bytes)),
            None if nulls && value.is_null() => Ok(None),
            None => {
                let hint = match value.is_null() {
                    true => "; a null is equal to no value, so leave it out",
                    false => "",
                };
                let expected = format!("{}{hint}", value_type.expected());
                Err(mismatch(field, value, expected))
            }
        })
        .collect::<Result<_, _>>()?;
    Ok(BinaryValue::array(
        value_type.oids(),
        &elements,
        value_type.cast(ty, true),
    ))
}

/// The values of a list.
pub(in crate::read::list) fn list_of<'v>(
    field: &'static str,
    value: &'v Value,
    expected: impl FnOnce() -> String,
) -> Result<&'v [Value], ListError> {
    let Value::Array(values) = value else {
        return Err(mismatch(field, value, expected()));
    };
    if values.len() > MAX_ELEMENTS {
        return Err(ListError::TooLarge {
            what: "values in a list",
            limit: MAX_ELEMENTS,
        });
    }
    Ok(values)
}

/// Encodes the pattern of `like` and `ilike`.
pub(in crate::read::list) fn pattern(
    field: &'static str,
    value: &Value,
) -> Result<BinaryValue, ListError> {
    let bytes = ValueType::Text
        .encode(value)
        .ok_or_else(|| mismatch(field, value, ValueType::Text.expected()))?;
    // PostgreSQL rejects a pattern that ends in an escape character, but only when a text matches
    // the pattern up to there: whether the statement fails would depend on the rows.
    let trailing_backslashes = bytes.iter().rev().take_while(|byte| **byte == b'\\');
    if trailing_backslashes.count() % 2 == 1 {
        let expected = "a pattern with a character after its last backslash";
        return Err(mismatch(field, value, expected.to_owned()));
    }
    Ok(BinaryValue::scalar(TypeOids::TEXT, bytes, "text"))
}

/// Encodes what is searched for in a full-text index. PostgreSQL finds no mistake in it.
pub(in crate::read::list) fn words(
    field: &'static str,
    text: &str,
) -> Result<BinaryValue, ListError> {
    let value = Value::from(text);
    let bytes = ValueType::Text
        .encode(&value)
        .ok_or_else(|| mismatch(field, &value, ValueType::Text.expected()))?;
    Ok(BinaryValue::scalar(TypeOids::TEXT, bytes, "text"))
}

/// Encodes the text of a `jsonpath`, which is a valid one.
pub(in crate::read::list) fn json_path(path: &str) -> Result<BinaryValue, ListError> {
    if path.len() > MAX_PATH_BYTES {
        return Err(ListError::TooLarge {
            what: "bytes in the filter of a part",
            limit: MAX_PATH_BYTES,
        });
    }
    Ok(BinaryValue::versioned_text(
        TypeOids::JSON_PATH,
        path,
        "jsonpath",
    ))
}

/// Encodes the text of a `jsonb`, which is a valid one.
pub(in crate::read::list) fn jsonb(json: &str) -> BinaryValue {
    BinaryValue::versioned_text(TypeOids::JSONB, json, "jsonb")
}

/// The value of `isNull`.
pub(in crate::read::list) fn is_null_flag(
    field: &'static str,
    value: &Value,
) -> Result<bool, ListError> {
    value
        .as_bool()
        .ok_or_else(|| mismatch(field, value, "true or false for `isNull`".to_owned()))
}

/// A value of the field's type that a cursor holds in the binary format. `None` if no document
/// can have it.
pub(in crate::read::list) fn cursor_value(ty: &ScalarType, bytes: &[u8]) -> Option<BinaryValue> {
    let value_type = ValueType::of(ty);
    value_type
        .is_valid(bytes)
        .then(|| scalar(value_type, ty, bytes.to_vec()))
}

/// The error for a value of the field's type that has no JSON, such as `NaN`.
pub(in crate::read::list) fn without_json(
    field: &'static str,
    ty: &ScalarType,
    reason: &str,
) -> ListError {
    ListError::Value {
        field,
        value: format!("this value ({})", truncated(reason)),
        expected: ValueType::of(ty).expected(),
    }
}

fn scalar(value_type: ValueType, ty: &ScalarType, bytes: Vec<u8>) -> BinaryValue {
    BinaryValue::scalar(value_type.oids(), bytes, value_type.cast(ty, false))
}

pub(in crate::read::list) fn mismatch(
    field: &'static str,
    value: &Value,
    expected: String,
) -> ListError {
    // Large values are not formatted only to be truncated.
    let value = match value {
        Value::Array(values) => format!("a list of {} values", values.len()),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => format!("{:?}", truncated(text)),
        value => value.to_string(),
    };
    ListError::Value {
        field,
        value,
        expected,
    }
}
