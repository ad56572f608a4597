//! `@key` and `@shareable` of the types of a subgraph.

use async_graphql::registry::{MetaType, Registry};

use crate::resolve::views::key::{global_id, key_fields};
use crate::resolve::views::view_set::ViewMember;
use crate::schema::types::is_key;
use fraiseql_runtime::schema::{Shape, Source, View};

/// Makes views entities, and the types within their documents shareable.
///
/// A document has copies of what other services may have as well: a type is the same wherever it is.
/// Composition accepts a field of several subgraphs only if it is shareable in each of them.
pub(super) fn register(registry: &mut Registry, members: &[ViewMember]) {
    for member in members {
        let view = member.handle.view;
        add_keys(registry, view.shape.type_name, &of_view(view), true);
        share(registry, view.shape, members);
        share(registry, (member.connection)(), members);
    }
}

/// The keys of a view, of fields that its documents show.
fn of_view(view: &View) -> Vec<String> {
    let shows = |name: &str| view.shape.shown_fields().any(|field| field.json == name);
    // The tenant of the request completes a key without it.
    let fields: Vec<_> = key_fields(view)
        .filter(|field| !field.is_tenant || shows(field.name))
        .map(|field| field.name)
        .collect();
    let is_complete = !fields.is_empty() && fields.iter().all(|name| shows(name));
    let columns = is_complete.then(|| fields.join(" "));
    let id = global_id(view)
        .filter(|name| shows(name))
        .map(str::to_owned);
    columns.into_iter().chain(id).collect()
}

/// The key of a part, by which another service finds its entity.
fn of_part(shape: &Shape) -> Vec<String> {
    let Some(key) = shape.key else {
        return Vec::new();
    };
    let fields: Vec<_> = shape
        .shown_fields()
        .filter(|field| is_key(shape, field))
        .map(|field| field.json)
        .collect();
    let is_complete = !fields.is_empty() && fields.len() == key.columns.names().len();
    is_complete.then(|| fields.join(" ")).into_iter().collect()
}

fn add_keys(registry: &mut Registry, name: &str, fields: &[String], is_resolvable: bool) {
    let Some(MetaType::Object {
        keys, resolvable, ..
    }) = registry.types.get_mut(name)
    else {
        return;
    };
    // The type may be registered several times, and the application may have keys of its own.
    if fields.is_empty() || keys.is_some() {
        return;
    }
    *keys = Some(fields.to_vec());
    *resolvable = is_resolvable;
}

/// Marks a type as shareable, and those of the parts in it.
fn share(registry: &mut Registry, shape: &'static Shape, members: &[ViewMember]) {
    let Some(MetaType::Object { shareable, .. }) = registry.types.get_mut(shape.type_name) else {
        return;
    };
    if std::mem::replace(shareable, true) {
        return;
    }
    let is_view = |part: &Shape| {
        let mut names = members.iter().map(|it| it.handle.view.shape.type_name);
        names.any(|name| name == part.type_name)
    };
    for field in shape.shown_fields() {
        let part = match &field.source {
            Source::One(one) => one.shape.get(),
            Source::Many(many) => many.shape.get(),
            Source::First(first) => first.shape.get(),
            _ => continue,
        };
        if !is_view(part) {
            add_keys(registry, part.type_name, &of_part(part), false);
        }
        share(registry, part, members);
    }
}
