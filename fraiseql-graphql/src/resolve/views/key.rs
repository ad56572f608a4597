//! The arguments of a root field that finds a document by its key: the fields of the key, or the id that the key
//! is in.

use async_graphql::registry::{MetaInputValue, Registry};
use async_graphql::{ID, ServerResult, Value};

use crate::resolve::views::arguments::{Arguments, bad_input, raw, typed};
use crate::schema::types;
use fraiseql_runtime::__graphql::{Scope, key_values};
use fraiseql_runtime::GlobalId;
use fraiseql_runtime::list::{Filter, Operator};
use fraiseql_runtime::schema::{Field, Source, View};

/// A field of the key of a view.
#[derive(Clone, Copy)]
pub(crate) struct KeyField {
    /// Its name in the documents.
    pub(crate) name: &'static str,
    /// Whether it is the tenant, which a request need not say again.
    pub(crate) is_tenant: bool,
}

/// The fields of the key of a view, in the order of the key.
pub(crate) fn key_fields(view: &View) -> impl Iterator<Item = KeyField> {
    let names = view.key.columns.names().iter();
    names.map(|name| {
        let mut fields = view.shape.fields.iter();
        let is_it = |field: &&Field| {
            matches!(field.source, Source::Column { column, .. } if column == *name)
                && field.promoted.is_none()
        };
        KeyField {
            name: fields.find(is_it).map_or(*name, |field| field.json),
            is_tenant: view.tenant.is_some_and(|tenant| tenant.source == *name),
        }
    })
}

/// The name of the field that has the id of a document.
pub(crate) fn global_id(view: &View) -> Option<&'static str> {
    let mut fields = view.shape.fields.iter();
    let field = fields.find(|field| matches!(field.source, Source::GlobalId { .. }));
    field.map(|field| field.json)
}

/// The definitions of the arguments.
pub(crate) fn arguments(registry: &mut Registry, view: &View) -> Vec<MetaInputValue> {
    let id = global_id(view);
    let id_argument = id.map(|name| types::input_value(name, "ID".to_owned()));
    let fields = key_fields(view).zip(view.key.types).map(|(field, ty)| {
        let ty = types::scalar(registry, *ty, true);
        let required = if field.is_tenant || id.is_some() {
            ""
        } else {
            "!"
        };
        types::input_value(field.name, format!("{ty}{required}"))
    });
    id_argument.into_iter().chain(fields).collect()
}

/// The description of the root field.
pub(crate) fn description(view: &View) -> String {
    let mut description = format!(
        "The {} with this key; null if there is none.",
        view.shape.type_name
    );
    if let Some(id) = global_id(view) {
        description.push_str(&format!(
            " The key is `{id}`, or {}.",
            names(key_fields(view))
        ));
    }
    if let Some(tenant) = key_fields(view).find(|field| field.is_tenant) {
        let tenant = tenant.name;
        description.push_str(&format!(" By default `{tenant}` is that of the request."));
    }
    description
}

/// The names of fields, as in a sentence.
fn names(fields: impl Iterator<Item = KeyField>) -> String {
    let names: Vec<String> = fields.map(|field| format!("`{}`", field.name)).collect();
    match names.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        names => names.join(""),
    }
}

/// The condition that a document has the key of the arguments.
pub(super) fn filter(
    arguments: &dyn Arguments,
    view: &View,
    scope: &Scope,
) -> ServerResult<Filter> {
    let key = key_fields(view).zip(values(arguments, view, scope)?);
    // The tenant of a scope is a condition of its own.
    let given = key.filter_map(|(field, value)| Some((field, value?)));
    Ok(Filter::all(given.map(|(field, value)| {
        Filter::compare(field.name, Operator::Eq, value)
    })))
}

/// The values of the fields of the key, in their order. That of the tenant may be missing, if the scope has one.
///
/// # Errors
/// As [`filter`].
pub(crate) fn values(
    arguments: &dyn Arguments,
    view: &View,
    scope: &Scope,
) -> ServerResult<Vec<Option<serde_json::Value>>> {
    let mut given = Vec::new();
    for field in key_fields(view) {
        given.push((field, raw(arguments, field.name)?));
    }
    if let Some(name) = global_id(view)
        && let Some(ID(id)) = typed::<ID>(arguments, name)?
    {
        let both = given.iter().find(|(_, value)| *value != Value::Null);
        if let Some((field, _)) = both {
            let message = format!("{name} has the whole key: leave {} out", field.name);
            return Err(bad_input(arguments, &message));
        }
        let values = key_values(&GlobalId::from(id), view)
            .map_err(|error| bad_input(arguments, &format!("{name}: {error}")))?;
        return Ok(values.into_iter().map(Some).collect());
    }
    let mut key = Vec::new();
    for (field, value) in given {
        if value == Value::Null {
            match scope {
                Scope::Tenant(_) if field.is_tenant => {
                    key.push(None);
                    continue;
                }
                _ => return Err(missing(arguments, view, field)),
            }
        }
        let value = value
            .into_json()
            .map_err(|error| bad_input(arguments, &error.to_string()))?;
        key.push(Some(value));
    }
    Ok(key)
}

/// The error of a field of the key that is not given.
fn missing(arguments: &dyn Arguments, view: &View, field: KeyField) -> async_graphql::ServerError {
    let reason = match (global_id(view), field.is_tenant) {
        (Some(id), _) => format!(", or {id}"),
        (None, true) => ": the documents of all tenants are read".to_owned(),
        (None, false) => String::new(),
    };
    bad_input(arguments, &format!("{} is missing{reason}", field.name))
}
