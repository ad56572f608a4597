//! GraphQL unions and interfaces from the constant tables of enums.

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{MetaField, MetaType, Registry};

use super::types;
use fraiseql_runtime::schema::{Interface, Shape, Union};

/// Registers the type of a union or an interface, and those of its members. Returns its name.
///
/// # Panics
/// If another type has the same name: the schema cannot be built.
pub(crate) fn union(registry: &mut Registry, union: &'static Union) -> &'static str {
    let name = union.type_name;
    if !types::is_unregistered(registry, name, union.id, "type_name") {
        return name;
    }
    let shapes: Vec<_> = union.shapes().collect();
    for shape in &shapes {
        types::object(registry, shape);
    }
    match union.interface {
        Some(fields) => {
            let fields = interface_fields(registry, fields, &shapes);
            interface(registry, name, union.id, union.docs, fields, &shapes);
        }
        None => {
            registry.types.insert(
                name.to_owned(),
                MetaType::Union {
                    name: name.to_owned(),
                    description: union.docs.map(str::to_owned),
                    possible_types: names(&shapes).collect(),
                    visible: None,
                    inaccessible: false,
                    tags: Vec::new(),
                    rust_typename: Some(union.id),
                    directive_invocations: Vec::new(),
                },
            );
        }
    }
    name
}

/// Registers an interface with these fields, which the objects of all these shapes have.
pub(crate) fn interface(
    registry: &mut Registry,
    name: &str,
    id: &'static str,
    docs: Option<&str>,
    fields: IndexMap<String, MetaField>,
    shapes: &[&'static Shape],
) {
    for member in names(shapes) {
        registry.add_implements(&member, name);
    }
    registry.types.insert(
        name.to_owned(),
        MetaType::Interface {
            name: name.to_owned(),
            description: docs.map(str::to_owned),
            fields,
            possible_types: names(shapes).collect(),
            extends: false,
            keys: None,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            rust_typename: Some(id),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        },
    );
}

/// Adds the objects of these shapes to an interface.
pub(crate) fn add_members(registry: &mut Registry, name: &str, shapes: &[&'static Shape]) {
    for member in names(shapes) {
        registry.add_implements(&member, name);
    }
    if let Some(MetaType::Interface { possible_types, .. }) = registry.types.get_mut(name) {
        possible_types.extend(names(shapes));
    }
}

fn names(shapes: &[&'static Shape]) -> impl Iterator<Item = String> {
    shapes.iter().map(|shape| shape.type_name.to_owned())
}

/// The fields of an interface, as the first member has them. The derive has checked that all members
/// have those that are named, with the same type.
fn interface_fields(
    registry: &Registry,
    fields: Interface,
    shapes: &[&'static Shape],
) -> IndexMap<String, MetaField> {
    let keys: Vec<&str> = match fields {
        Interface::Fields(keys) => keys.to_vec(),
        Interface::Common => {
            let first = shapes.first().into_iter();
            first
                .flat_map(|shape| shape.shown_fields().map(|field| field.json))
                .collect()
        }
    };
    let common = keys.into_iter().filter_map(|key| {
        let mut members = shapes
            .iter()
            .map(|shape| stored_field(registry, shape, key));
        let first = members.next()??;
        let is_common = members.all(|field| field.is_some_and(|field| field.ty == first.ty));
        is_common.then(|| {
            let field = MetaField {
                description: first.description.clone(),
                ..types::meta_field(key, first.ty.clone())
            };
            (key.to_owned(), field)
        })
    });
    common.collect()
}

/// The definition of a field of documents, as the object type has it.
fn stored_field<'a>(registry: &'a Registry, shape: &Shape, key: &str) -> Option<&'a MetaField> {
    let is_stored = shape.shown_fields().any(|field| field.json == key);
    let ty = registry.types.get(shape.type_name)?;
    ty.field_by_name(key).filter(|_| is_stored)
}
