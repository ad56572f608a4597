//! The representation of an entity: its type, and the fields of one of its keys.

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value};

use crate::resolve::views::key::{global_id, key_fields};
use fraiseql_runtime::__graphql::{Handle, KeyMismatch, Keys, Scope, key_of_values, key_values};
use fraiseql_runtime::GlobalId;
use fraiseql_runtime::schema::View;

/// The fields of a representation.
type Fields = IndexMap<Name, Value>;

/// The name of the type of an entity, and the fields of its representation.
///
/// # Errors
/// What is wrong with the representation, for the client.
pub(super) fn typed(representation: &Value) -> Result<(&str, &Fields), String> {
    let Value::Object(fields) = representation else {
        return Err("a representation is an object".to_owned());
    };
    match fields.get("__typename") {
        Some(Value::String(name)) => Ok((name, fields)),
        Some(_) => Err("__typename is not a string".to_owned()),
        None => Err("__typename is missing".to_owned()),
    }
}

/// The key of an entity, as a list of it.
///
/// # Errors
/// What is wrong with the representation, for the client.
pub(super) fn key(fields: &Fields, view: Handle, scope: &Scope) -> Result<Keys, String> {
    let found = by_columns(fields, view, scope);
    match (global_id(view.view), found) {
        (Some(id), Err(_)) if let Some(value) = fields.get(id) => by_id(id, value, view, scope),
        (_, found) => found,
    }
}

fn by_columns(fields: &Fields, view: Handle, scope: &Scope) -> Result<Keys, String> {
    let value = |name: &str| {
        let value = fields.get(name).filter(|value| **value != Value::Null);
        value.cloned().and_then(|value| value.into_json().ok())
    };
    let values = key_fields(view.view).map(|field| value(field.name));
    key_of_values(view, scope, values.collect()).map_err(|mismatch| {
        let name = |index| key_fields(view.view).nth(index).map_or("key", |it| it.name);
        match mismatch {
            KeyMismatch::Missing(index) => {
                format!("{} of {} is missing", name(index), type_name(view.view))
            }
            KeyMismatch::WrongType(index) => {
                format!(
                    "{} of {} cannot have this value",
                    name(index),
                    type_name(view.view)
                )
            }
        }
    })
}

fn by_id(name: &str, value: &Value, view: Handle, scope: &Scope) -> Result<Keys, String> {
    let wrong = || format!("{name} is not an id of the type {}", type_name(view.view));
    let Value::String(id) = value else {
        return Err(wrong());
    };
    let values = key_values(&GlobalId::from(id.clone()), view.view).map_err(|_| wrong())?;
    let values = values.into_iter().map(Some).collect();
    key_of_values(view, scope, values).map_err(|_| wrong())
}

const fn type_name(view: &View) -> &'static str {
    view.shape.type_name
}
