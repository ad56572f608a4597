//! The constant tables of structs, as GraphQL object types.
//!
//! What is not a type of its own in the tables, enums and scalars, is registered on the way.

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{
    Deprecation, MetaEnumValue, MetaField, MetaInputValue, MetaType, Registry,
};

use fraiseql_runtime::scalar::{ElementNull, Enum, Form, ScalarType};
use fraiseql_runtime::schema::{Field, Shape, Source};

/// Registers the object type of a shape, with all that it refers to. Gives its name.
///
/// # Panics
/// When another type has the name already: the schema cannot be built.
pub(crate) fn object(registry: &mut Registry, shape: &'static Shape) -> &'static str {
    if !claim(registry, shape.type_name, shape.id, "type_name") {
        return shape.type_name;
    }
    let fields = shape
        .fields
        .iter()
        .map(|field| {
            let ty = field_type(registry, shape, field);
            let description = field.docs.map(str::to_owned);
            let meta = MetaField {
                description,
                ..meta_field(field.json, ty)
            };
            (field.json.to_owned(), meta)
        })
        .collect();
    registry.types.insert(
        shape.type_name.to_owned(),
        meta_object(shape.type_name, shape.id, shape.docs, fields),
    );
    shape.type_name
}

/// Whether `name` is still to be registered for `id`.
///
/// # Panics
/// When it is registered for something else.
fn claim(registry: &Registry, name: &str, id: &str, attribute: &str) -> bool {
    let Some(there) = registry.types.get(name) else {
        return true;
    };
    assert!(
        there.rust_typename() == Some(id) || registry.ignore_name_conflicts.contains(name),
        "`{}` and `{id}` have the same GraphQL name `{name}`; give one of them another with \
         #[tview({attribute} = \"..\")]",
        there.rust_typename().unwrap_or("a scalar"),
    );
    false
}

/// The type of a field, as GraphQL writes it: `[Comment!]!`.
fn field_type(registry: &mut Registry, shape: &Shape, field: &Field) -> String {
    match &field.source {
        Source::One(one) => {
            let name = object(registry, (one.shape)());
            let mark = if one.nullable { "" } else { "!" };
            format!("{name}{mark}")
        }
        Source::Many(many) => {
            let name = object(registry, (many.shape)());
            format!("[{name}!]!")
        }
        Source::Column { ty, .. } | Source::Expr { ty, .. } => {
            let name = scalar(registry, *ty, is_key(shape, field));
            whole_type(name, *ty)
        }
        Source::Aggregate(aggregate) => {
            let name = scalar(registry, aggregate.ty, false);
            whole_type(name, aggregate.ty)
        }
    }
}

/// The type of a scalar field, of whose element `name` is the type.
fn whole_type(name: &str, ty: ScalarType) -> String {
    let mark = if ty.nullable { "" } else { "!" };
    match ty.list {
        None => format!("{name}{mark}"),
        Some(ElementNull::No) => format!("[{name}!]{mark}"),
        Some(ElementNull::Yes) => format!("[{name}]{mark}"),
    }
}

/// Whether the field is the key of its shape.
pub(crate) fn is_key(shape: &Shape, field: &Field) -> bool {
    let Source::Column { column, .. } = field.source else {
        return false;
    };
    shape.key.is_some_and(|key| key.column == column)
}

/// Registers the type of a scalar, of one element where it is a list. Gives its name: that of
/// a key is `ID` where it is written as a string.
pub(crate) fn scalar(registry: &mut Registry, ty: ScalarType, key: bool) -> &'static str {
    if let Form::Enum(table) = ty.form {
        return enumeration(registry, table);
    }
    match ty.graphql {
        "UUID" | "String" if key => "ID",
        name @ ("Boolean" | "Int" | "Float" | "String" | "ID") => name,
        name => {
            custom(registry, name);
            name
        }
    }
}

/// Registers a scalar that is not GraphQL's own. Another with the name stays as it is.
fn custom(registry: &mut Registry, name: &str) {
    let (description, url) = described(name);
    registry
        .types
        .entry(name.to_owned())
        .or_insert_with(|| MetaType::Scalar {
            name: name.to_owned(),
            description: description.map(str::to_owned),
            is_valid: None,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            specified_by_url: url.map(str::to_owned),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        });
}

/// What a scalar is, and where that is specified.
fn described(name: &str) -> (Option<&'static str>, Option<&'static str>) {
    match name {
        "UUID" => (
            Some("A UUID, in lower case with hyphens."),
            Some("https://www.rfc-editor.org/rfc/rfc9562"),
        ),
        "DateTime" => (
            Some("An instant in UTC, as in RFC 3339."),
            Some("https://www.rfc-editor.org/rfc/rfc3339"),
        ),
        "NaiveDateTime" => (Some("A date with a time, without a time zone."), None),
        "Date" => (Some("A date: 2026-01-31."), None),
        "Time" => (Some("A time of a day, without a time zone."), None),
        "Decimal" => (
            Some("A decimal number, in a string with all its digits."),
            None,
        ),
        "JSON" => (
            Some("Any JSON, as it was written."),
            Some("https://www.rfc-editor.org/rfc/rfc8259"),
        ),
        _ => (None, None),
    }
}

fn enumeration(registry: &mut Registry, table: &'static Enum) -> &'static str {
    let values = table.variants.iter().map(|variant| variant.json);
    enum_type(registry, table.type_name, table.name, values);
    table.type_name
}

/// Registers an enum.
///
/// # Panics
/// When another type has the name already.
pub(crate) fn enum_type(
    registry: &mut Registry,
    name: &'static str,
    id: &'static str,
    values: impl Iterator<Item = &'static str>,
) {
    if !claim(registry, name, id, "type_name") {
        return;
    }
    let enum_values = values
        .map(|value| {
            let meta = MetaEnumValue {
                name: value.to_owned(),
                description: None,
                deprecation: Deprecation::NoDeprecated,
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                directive_invocations: Vec::new(),
            };
            (value.to_owned(), meta)
        })
        .collect();
    registry.types.insert(
        name.to_owned(),
        MetaType::Enum {
            name: name.to_owned(),
            description: None,
            enum_values,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            rust_typename: Some(id),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        },
    );
}

/// Registers an input type of these fields, each a name and a type.
///
/// # Panics
/// When another type has the name already.
pub(crate) fn input_object(
    registry: &mut Registry,
    name: &str,
    id: &'static str,
    oneof: bool,
    fields: impl FnOnce(&mut Registry) -> Vec<MetaInputValue>,
) {
    if !claim(registry, name, id, "type_name") {
        return;
    }
    let input_fields = fields(registry)
        .into_iter()
        .map(|field| (field.name.clone(), field))
        .collect();
    registry.types.insert(
        name.to_owned(),
        MetaType::InputObject {
            name: name.to_owned(),
            description: None,
            input_fields,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            rust_typename: Some(id),
            oneof,
            directive_invocations: Vec::new(),
        },
    );
}

/// An argument, or a field of an input type.
pub(crate) fn input(name: &str, ty: String) -> MetaInputValue {
    MetaInputValue {
        name: name.to_owned(),
        description: None,
        ty,
        deprecation: Deprecation::NoDeprecated,
        default_value: None,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        is_secret: false,
        directive_invocations: Vec::new(),
    }
}

pub(crate) fn meta_field(name: &str, ty: String) -> MetaField {
    MetaField {
        name: name.to_owned(),
        description: None,
        args: IndexMap::new(),
        ty,
        deprecation: Deprecation::NoDeprecated,
        cache_control: Default::default(),
        external: false,
        requires: None,
        provides: None,
        visible: None,
        shareable: false,
        inaccessible: false,
        tags: Vec::new(),
        override_from: None,
        compute_complexity: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

pub(crate) fn meta_object(
    name: &str,
    id: &'static str,
    docs: Option<&str>,
    fields: IndexMap<String, MetaField>,
) -> MetaType {
    MetaType::Object {
        name: name.to_owned(),
        description: docs.map(str::to_owned),
        fields,
        cache_control: Default::default(),
        extends: false,
        shareable: false,
        resolvable: true,
        keys: None,
        visible: None,
        inaccessible: false,
        interface_object: false,
        tags: Vec::new(),
        is_subscription: false,
        rust_typename: Some(id),
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}
