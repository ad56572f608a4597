//! Fields of the application within documents.
//!
//! The projection of such a request also writes what the fields need, under names that no query can
//! select. Its output is parsed, and each object gets the values of its own fields in place of what
//! they needed, in the order of the query.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection as Item, SelectionSet, TypeCondition};
use async_graphql::registry::{MetaTypeName, Registry};
use async_graphql::{
    Context, ContextSelectionSet, Name, Positioned, ServerError, ServerResult, Value,
};
use futures_util::future::{BoxFuture, join_all};

use crate::schema::extension::{Extension, extension};
use crate::spec::operation::Fragments;
use crate::spec::placeholder::is_placeholder;
use fraiseql_runtime::schema::{Shape, Source};
use fraiseql_runtime::select::{Selected, Selection};

/// The name under which a projection writes a field that an extension needs. It is no name of
/// GraphQL.
fn need(field: &str) -> String {
    format!("${field}")
}

/// Adds what a field of the application needs to a selection. Returns whether the field is one.
pub(super) fn add_needs(selection: &mut Selection, shape: &Shape, field: &str) -> bool {
    let Some(extension) = own(shape, field) else {
        return false;
    };
    for needed in extension.needs.fields() {
        selection.push(Selected {
            alias: Some(need(&needed.name)),
            ..needed.clone()
        });
    }
    true
}

/// The extension that has a field which the shape has not.
fn own(shape: &Shape, field: &str) -> Option<&'static Extension> {
    let is_stored = shape.shown_fields().any(|stored| stored.json == field);
    if is_stored || field.starts_with("__") {
        return None;
    }
    extension(shape, field)
}

/// Completes a value that a projection has written: an object, a list of them, or null.
///
/// # Errors
/// If the value is null as a whole, because of a field that cannot be null.
pub(super) fn complete<'a>(
    ctx: &'a ContextSelectionSet<'a>,
    sets: &'a [&'a SelectionSet],
    shape: &'static Shape,
    value: Value,
) -> BoxFuture<'a, ServerResult<Value>> {
    Box::pin(async move {
        match value {
            Value::List(items) => {
                let items = items.into_iter().enumerate().map(async |(index, item)| {
                    let ctx = ctx.with_index(index);
                    complete(&ctx, sets, shape, item).await
                });
                // All items are awaited: what fails is reported for each of them.
                let items = all(ctx, join_all(items).await)?;
                Ok(Value::List(items))
            }
            Value::Object(stored) => object(ctx, sets, shape, stored).await,
            other => Ok(other),
        }
    })
}

/// The values, or the last error; those before it are reported beside it.
fn all(
    ctx: &ContextSelectionSet<'_>,
    results: Vec<ServerResult<Value>>,
) -> ServerResult<Vec<Value>> {
    let mut values = Vec::with_capacity(results.len());
    let mut failed: Option<ServerError> = None;
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => {
                if let Some(before) = failed.replace(error) {
                    ctx.add_error(before);
                }
            }
        }
    }
    failed.map_or(Ok(values), Err)
}

/// The fields of one object, all of which are resolved concurrently.
async fn object<'a>(
    ctx: &'a ContextSelectionSet<'a>,
    sets: &'a [&'a SelectionSet],
    shape: &'static Shape,
    mut stored: IndexMap<Name, Value>,
) -> ServerResult<Value> {
    let registry = &ctx.schema_env.registry;
    let fragments = &ctx.query_env.fragments;
    let mut fields = Vec::new();
    for set in sets {
        collect(registry, set, shape, fragments, &mut fields);
    }
    let mut keys = Vec::with_capacity(fields.len());
    let mut values = Vec::with_capacity(fields.len());
    for field in &fields {
        let key = &field.node.response_key().node;
        let value = match own(shape, &field.node.name.node) {
            Some(extension) => own_value(ctx, shape, field, extension, &stored),
            // A field that is selected twice was written once, with what both select.
            None => match stored.shift_remove(key) {
                Some(value) => part(ctx, shape, &fields, field, value),
                None => continue,
            },
        };
        keys.push(key.clone());
        values.push(value);
    }
    let values = all(ctx, join_all(values).await)?;
    let mut completed = IndexMap::with_capacity(keys.len());
    for (key, value) in keys.into_iter().zip(values) {
        merge(&mut completed, key, value);
    }
    Ok(Value::Object(completed))
}

/// The value of a field of the application.
fn own_value<'a>(
    ctx: &'a ContextSelectionSet<'a>,
    shape: &'static Shape,
    field: &'a Positioned<Field>,
    extension: &'static Extension,
    stored: &IndexMap<Name, Value>,
) -> BoxFuture<'a, ServerResult<Value>> {
    let needs = extension.needs.fields().iter().map(|needed| {
        let value = stored.get(need(&needed.name).as_str()).cloned();
        (Name::new(&needed.name), value.unwrap_or_default())
    });
    let document = Value::Object(needs.collect());
    Box::pin(async move {
        let field = ctx.with_field(field);
        let result = (extension.resolve)(document, &field).await;
        nullable(ctx, shape, &field, result)
    })
}

/// The value of a field of the application: null, with an error beside it, if it failed and may be
/// null.
fn nullable(
    ctx: &ContextSelectionSet<'_>,
    shape: &Shape,
    field: &Context<'_>,
    result: ServerResult<Value>,
) -> ServerResult<Value> {
    let mut error = match result {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if error.path.is_empty() {
        error = field.set_error_path(error);
    }
    let ty = ctx.schema_env.registry.types.get(shape.type_name);
    let ty = ty.and_then(|ty| ty.field_by_name(&field.item.node.name.node));
    if ty.is_some_and(|field| MetaTypeName::create(&field.ty).is_non_null()) {
        return Err(error);
    }
    ctx.add_error(error);
    Ok(Value::Null)
}

/// The value of a stored field, with the fields of the application that are in it.
fn part<'a>(
    ctx: &'a ContextSelectionSet<'a>,
    shape: &'static Shape,
    fields: &[&'a Positioned<Field>],
    field: &'a Positioned<Field>,
    value: Value,
) -> BoxFuture<'a, ServerResult<Value>> {
    let key = &field.node.response_key().node;
    let same = fields
        .iter()
        .filter(|other| other.node.response_key().node == *key);
    let sets: Vec<&'a SelectionSet> = same.map(|field| &field.node.selection_set.node).collect();
    Box::pin(async move {
        let Some((part, is_nullable)) = part_of(shape, &field.node.name.node) else {
            return Ok(value);
        };
        let registry = &ctx.schema_env.registry;
        let fragments = &ctx.query_env.fragments;
        let has_own = |set: &&SelectionSet| has_own(registry, set, part, fragments);
        if !sets.iter().any(has_own) {
            return Ok(value);
        }
        let field_ctx = ctx.with_field(field);
        let inner = field_ctx.with_selection_set(&field.node.selection_set);
        match complete(&inner, &sets, part, value).await {
            Err(error) if is_nullable => {
                ctx.add_error(error);
                Ok(Value::Null)
            }
            completed => completed,
        }
    })
}

/// The shape of a field that is an object or a list of objects, and whether it may be null.
pub(super) fn part_of(shape: &Shape, name: &str) -> Option<(&'static Shape, bool)> {
    let field = shape.shown_fields().find(|field| field.json == name)?;
    match &field.source {
        Source::One(one) => Some((one.shape.get(), one.nullable)),
        Source::Many(many) => Some((many.shape.get(), false)),
        Source::First(first) => Some((first.shape.get(), true)),
        _ => None,
    }
}

/// Whether a selection set selects a field of the application, at any depth.
fn has_own(
    registry: &Registry,
    set: &SelectionSet,
    shape: &'static Shape,
    fragments: &Fragments,
) -> bool {
    let mut fields = Vec::new();
    collect(registry, set, shape, fragments, &mut fields);
    fields.iter().any(|field| {
        let name = &field.node.name.node;
        own(shape, name).is_some()
            || part_of(shape, name).is_some_and(|(part, _)| {
                has_own(registry, &field.node.selection_set.node, part, fragments)
            })
    })
}

/// Whether a fragment with this condition applies to the objects of a shape: it is on their type, or on
/// a union that has it.
pub(super) fn applies(registry: &Registry, condition: &TypeCondition, shape: &Shape) -> bool {
    let on = condition.on.node.as_str();
    on == shape.type_name
        || registry
            .types
            .get(on)
            .is_some_and(|ty| ty.is_possible_type(shape.type_name))
}

/// The fields of a selection set that apply to a shape, with fragments expanded.
fn collect<'a>(
    registry: &Registry,
    set: &'a SelectionSet,
    shape: &Shape,
    fragments: &'a Fragments,
    fields: &mut Vec<&'a Positioned<Field>>,
) {
    for item in &set.items {
        let (condition, set) = match &item.node {
            Item::Field(field) => {
                if !is_placeholder(&field.node) {
                    fields.push(field);
                }
                continue;
            }
            Item::FragmentSpread(spread) => match fragments.get(&spread.node.fragment_name.node) {
                Some(fragment) => (
                    Some(&fragment.node.type_condition),
                    &fragment.node.selection_set,
                ),
                None => continue,
            },
            Item::InlineFragment(fragment) => (
                fragment.node.type_condition.as_ref(),
                &fragment.node.selection_set,
            ),
        };
        if condition.is_none_or(|condition| applies(registry, &condition.node, shape)) {
            collect(registry, &set.node, shape, fragments, fields);
        }
    }
}

/// Inserts a value, or merges it with that of an equal field: objects field by field, and lists
/// element by element.
fn merge(fields: &mut IndexMap<Name, Value>, key: Name, value: Value) {
    match fields.get_mut(&key) {
        Some(into) => merge_values(into, value),
        None => {
            fields.insert(key, value);
        }
    }
}

fn merge_values(into: &mut Value, value: Value) {
    match (into, value) {
        (Value::Object(into), Value::Object(fields)) => {
            for (key, value) in fields {
                merge(into, key, value);
            }
        }
        (Value::List(into), Value::List(items)) => {
            for (into, item) in into.iter_mut().zip(items) {
                merge_values(into, item);
            }
        }
        _ => {}
    }
}
