//! GraphQL object types from the constant tables of structs.
//!
//! The enums and scalars of a struct's fields are registered together with its object type.

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{
    Deprecation, MetaEnumValue, MetaField, MetaInputValue, MetaType, Registry,
};

use fraiseql_runtime::scalar::{Enum, JsonEncoding, ScalarType};
use fraiseql_runtime::schema::{Aggregate, Field, Shape, Source, Values};

/// Registers the object type of a shape and every type that it refers to. Returns its name.
///
/// # Panics
/// If another type has the same name: the schema cannot be built.
pub(crate) fn object(registry: &mut Registry, shape: &'static Shape) -> &'static str {
    if !is_unregistered(registry, shape.type_name, shape.id, "type_name") {
        return shape.type_name;
    }
    // The types of the fields are registered before the object itself. The recursion ends, since
    // the derive refuses a cycle of shapes.
    let fields = shape
        .shown_fields()
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

/// Whether the type `name` of the struct `id` has yet to be registered.
///
/// # Panics
/// If the name is registered for another struct.
pub(crate) fn is_unregistered(registry: &Registry, name: &str, id: &str, attribute: &str) -> bool {
    let Some(existing) = registry.types.get(name) else {
        return true;
    };
    assert!(
        existing.rust_typename() == Some(id) || registry.ignore_name_conflicts.contains(name),
        "`{}` and `{id}` have the same GraphQL name `{name}`; give one of them another with \
         #[tview({attribute} = \"..\")]",
        existing.rust_typename().unwrap_or("a scalar"),
    );
    false
}

/// The type of a field in GraphQL notation, such as `[Comment!]!`.
fn field_type(registry: &mut Registry, shape: &Shape, field: &Field) -> String {
    match &field.source {
        Source::One(one) => {
            let name = object(registry, one.shape.get());
            let suffix = if one.nullable { "" } else { "!" };
            format!("{name}{suffix}")
        }
        Source::Many(many) => {
            let name = object(registry, many.shape.get());
            format!("[{name}!]!")
        }
        Source::First(first) => object(registry, first.shape.get()).to_owned(),
        Source::Column { ty, .. }
        | Source::Expr { ty, .. }
        | Source::GlobalId { ty }
        | Source::Through { ty, .. }
        | Source::Aggregate(Aggregate { ty, .. })
        | Source::OfGroup(Aggregate { ty, .. })
        | Source::Values(Values { ty, .. }) => {
            let name = scalar(registry, *ty, is_key(shape, field));
            scalar_type(name, *ty)
        }
    }
}

/// The type of a scalar field in GraphQL notation. `name` is the type of one element.
fn scalar_type(name: &str, ty: ScalarType) -> String {
    let suffix = if ty.admits_null() { "" } else { "!" };
    match ty.admits_null_elements() {
        None => format!("{name}{suffix}"),
        Some(false) => format!("[{name}!]{suffix}"),
        Some(true) => format!("[{name}]{suffix}"),
    }
}

/// Whether the field is of the key of its shape.
pub(crate) fn is_key(shape: &Shape, field: &Field) -> bool {
    let Source::Column { column, .. } = field.source else {
        return false;
    };
    shape
        .key
        .is_some_and(|key| key.columns.names().contains(&column))
}

/// Registers the type of a scalar, or of the elements of a list of scalars. Returns its name, which
/// is `ID` for a key that is a string in JSON.
pub(crate) fn scalar(registry: &mut Registry, ty: ScalarType, is_key: bool) -> &'static str {
    if let JsonEncoding::Enum(table) = ty.encoding {
        return enumeration(registry, table);
    }
    match ty.graphql {
        "UUID" | "String" if is_key => "ID",
        name @ ("Boolean" | "Int" | "Float" | "String" | "ID") => name,
        name => {
            custom_scalar(registry, name);
            name
        }
    }
}

/// Registers a scalar that GraphQL does not define. An existing scalar of the same name is kept.
fn custom_scalar(registry: &mut Registry, name: &str) {
    let (description, url) = scalar_description(name);
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

/// The description of a scalar, and the URL of its specification.
fn scalar_description(name: &str) -> (Option<&'static str>, Option<&'static str>) {
    match name {
        "BigInt" => (
            Some("A whole number of 64 bits, as a number or in a string."),
            None,
        ),
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

/// Registers the enum of a `TEnum`. Returns its name.
///
/// # Panics
/// If another type has the same name, or async-graphql's `Enum` gives the variants other names.
pub(crate) fn enumeration(registry: &mut Registry, table: &'static Enum) -> &'static str {
    let values = || table.variants.iter().map(|variant| variant.json);
    if let Some(MetaType::Enum { enum_values, .. }) = registry.types.get(table.type_name) {
        // The application may have derived async-graphql's `Enum` as well, for the same names.
        let is_same = values().count() == enum_values.len()
            && values().all(|value| enum_values.contains_key(value));
        assert!(
            is_same,
            "the GraphQL enum `{}` has the values {}, and in documents it has {}; give them the same \
             names, with #[graphql(name = \"..\")] or #[tview(json = \"..\")]",
            table.type_name,
            enum_values.keys().cloned().collect::<Vec<_>>().join(", "),
            values().collect::<Vec<_>>().join(", "),
        );
    }
    enum_type(registry, table.type_name, (table.path)(), values());
    table.type_name
}

/// Registers an enum.
///
/// # Panics
/// If another type has the same name.
pub(crate) fn enum_type(
    registry: &mut Registry,
    name: &'static str,
    id: &'static str,
    values: impl Iterator<Item = &'static str>,
) {
    if !is_unregistered(registry, name, id, "type_name") {
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

/// Registers an input object type with the fields that `fields` returns.
///
/// # Panics
/// If another type has the same name.
pub(crate) fn input_object(
    registry: &mut Registry,
    name: &str,
    id: &'static str,
    oneof: bool,
    fields: impl FnOnce(&mut Registry) -> Vec<MetaInputValue>,
) {
    if !is_unregistered(registry, name, id, "type_name") {
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

/// The definition of an argument, or of a field of an input object type.
pub(crate) fn input_value(name: &str, ty: String) -> MetaInputValue {
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

/// The definition of a field without arguments.
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

/// The definition of an object type. `id` identifies the Rust type that it is made of.
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
