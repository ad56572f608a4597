//! The paths and the JSON that are looked for in an indexed value.

use serde_json::{Value, json};

use super::coverage::{Indexed, embedded_field, is_json};
use super::predicate::{at, exists, wrong_quantifier};
use crate::read::list::encode;
use crate::read::list::error::ListError;
use crate::read::list::filter::{Filter, Quantifier};
use crate::read::list::limits::{Depth, Nodes};
use crate::read::list::operator::Operator;
use crate::schema::{Field, View};

/// A path that finds something in an indexed value.
pub(in crate::read::list) struct IndexedPath {
    /// The path of the indexed value in the document.
    pub(in crate::read::list) index: &'static [&'static str],
    /// The SQL/JSON path in the indexed value.
    pub(in crate::read::list) path: String,
}

/// The documents with a part that meets a filter.
pub(in crate::read::list) fn of_part(
    view: &'static View,
    name: &str,
    quantifier: Quantifier,
    filter: &Filter,
    depth: Depth,
    nodes: &mut Nodes,
) -> Result<IndexedPath, ListError> {
    let (field, Indexed { index, path }) = embedded_field(view, name)?;
    let path = exists(field, quantifier, &path, filter, depth, nodes)?;
    Ok(IndexedPath { index, path })
}

/// The documents with a value at a path in the JSON of a field.
///
/// `within_not` is whether the condition is within an odd number of NOT. A null, and a value that is missing, meets
/// neither a comparison nor its opposite, and so the condition is false of them with NOT, and true without: it is
/// the opposite of the opposite of the comparison.
pub(in crate::read::list) fn of_json(
    view: &'static View,
    name: &str,
    keys: &[String],
    operator: Operator,
    value: &Value,
    within_not: bool,
) -> Result<IndexedPath, ListError> {
    let (field, Indexed { index, path }) = embedded_field(view, name)?;
    if !is_json(field) {
        let problem = "a value in {} cannot be compared: it is not JSON";
        let of_json = super::embedded(view).into_iter();
        let names = of_json
            .filter(|field| is_json(field))
            .map(|field| field.json);
        return Err(ListError::field(name, problem, "Fields with JSON", names));
    }
    if keys.iter().any(|key| key.contains('\0')) {
        return Err(ListError::Field {
            field: field.json.to_owned(),
            message: format!("a path in `{}` has a key with U+0000", field.json),
        });
    }
    let predicate = at(field, "@", keys).predicate(operator, value, within_not)?;
    let path = match within_not {
        // True or false: a predicate may be unknown, and so would be its opposite.
        true => format!("{path} ? (!exists(@ ? {predicate}))"),
        false => format!("{path} ? {predicate}"),
    };
    Ok(IndexedPath { index, path })
}

/// The documents in which a part or JSON is null, or is not.
pub(in crate::read::list) fn is_null(
    view: &'static View,
    name: &str,
    operator: Operator,
    value: &Value,
) -> Result<IndexedPath, ListError> {
    let (field, Indexed { index, path }) = embedded_field(view, name)?;
    if operator != Operator::IsNull || field.source.is_list_of_parts() {
        return Err(not_compared(field, operator));
    }
    let comparison = match encode::is_null_flag(field.json, value)? {
        true => "==",
        false => "!=",
    };
    Ok(IndexedPath {
        index,
        path: format!("{path} ? (@ {comparison} null)"),
    })
}

/// The documents in which the JSON of a field contains other JSON, as an indexed value that contains it.
pub(in crate::read::list) fn containing(
    view: &'static View,
    name: &str,
    value: &Value,
) -> Result<(&'static [&'static str], String), ListError> {
    let (field, Indexed { index, .. }) = embedded_field(view, name)?;
    if !is_json(field) {
        return Err(not_compared(field, Operator::Contains));
    }
    if has_nul(value) {
        let expected = "JSON without U+0000".to_owned();
        return Err(encode::mismatch(field.json, value, expected));
    }
    Ok(match index {
        [] => (index, json!({ field.json: value }).to_string()),
        _ => (index, value.to_string()),
    })
}

/// The error for an operator that a part or JSON as a whole does not have.
fn not_compared(field: &Field, operator: Operator) -> ListError {
    let operators: &[_] = match (is_json(field), field.source.is_list_of_parts()) {
        (false, true) => return wrong_quantifier(field),
        (true, _) => &[Operator::Contains, Operator::IsNull],
        (false, false) => &[Operator::IsNull],
    };
    ListError::Operator {
        field: field.json,
        operator,
        operators,
    }
}

/// Whether a text of the JSON has a character that `jsonb` cannot have.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
