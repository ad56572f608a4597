//! The types of a schema for apollo-compiler.

use std::fmt::Write as _;

use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Schema, ast};
use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{MetaField, MetaInputValue, MetaType, Registry};

/// Scalars and directives that every schema of apollo-compiler has.
const BUILT_IN: &[&str] = &[
    "Int",
    "Float",
    "String",
    "Boolean",
    "ID",
    "skip",
    "include",
    "deprecated",
    "specifiedBy",
];

/// The types of the operations that a schema does not have. A document may have such operations as
/// long as they are not executed.
const NO_MUTATION: &str = "__NoMutation";
const NO_SUBSCRIPTION: &str = "__NoSubscription";

/// The types of a schema, built once from async-graphql's registry.
pub(crate) struct TypeSystem {
    pub(crate) schema: Valid<Schema>,
    has_subscriptions: bool,
}

impl TypeSystem {
    /// Builds the types from a registry.
    ///
    /// async-graphql's SDL is not used: an extension has no access to it, and it lacks the fields of
    /// introspection types, which differ between the two libraries.
    pub(crate) fn of(registry: &Registry) -> Self {
        // What the build reports, the schema has nevertheless. It is not validated: whether
        // async-graphql should have accepted it is not the question of a request.
        let mut schema = match Schema::parse(definitions(registry), "schema") {
            Ok(schema) => schema,
            Err(failed) => failed.partial,
        };
        for ty in registry.types.values() {
            if let MetaType::Object { name, fields, .. } = ty
                && name.starts_with("__")
            {
                replace_fields(&mut schema, name, fields);
            }
        }
        Self {
            schema: Valid::assume_valid(schema),
            has_subscriptions: registry.subscription_type.is_some(),
        }
    }

    /// Whether an error is about an operation that the schema does not have: nothing is known about
    /// what may be selected in it. If it is executed, that is refused.
    pub(crate) fn is_of_unknown_root(&self, message: &str) -> bool {
        let has = |name: &str| message.contains(&format!("`{name}`"));
        has(NO_MUTATION)
            || has(NO_SUBSCRIPTION)
            || !self.has_subscriptions && message.starts_with("subscription ")
    }
}

/// Replaces the fields of an introspection type by those that async-graphql answers.
fn replace_fields(schema: &mut Schema, name: &str, fields: &IndexMap<String, MetaField>) {
    let mut text = format!("type {name} ");
    write_fields(&mut text, fields);
    let Ok(tree) = ast::Document::parse(text, "introspection") else {
        return;
    };
    let Some(ExtendedType::Object(object)) = schema.types.get_mut(name) else {
        return;
    };
    for definition in tree.definitions {
        if let ast::Definition::ObjectTypeDefinition(definition) = definition {
            let fields = definition.fields.iter();
            object.make_mut().fields = fields
                .map(|field| (field.name.clone(), Component::from(field.clone())))
                .collect();
        }
    }
}

/// The definitions of a schema, without descriptions and directives of definitions.
fn definitions(registry: &Registry) -> String {
    let mut text = format!(
        "schema {{ query: {} mutation: {} subscription: {} }}\n",
        registry.query_type,
        registry.mutation_type.as_deref().unwrap_or(NO_MUTATION),
        registry
            .subscription_type
            .as_deref()
            .unwrap_or(NO_SUBSCRIPTION),
    );
    for name in [NO_MUTATION, NO_SUBSCRIPTION] {
        push(&mut text, format_args!("type {name} {{ __none: Int }}\n"));
    }
    for ty in registry.types.values() {
        if !ty.name().starts_with("__") && !BUILT_IN.contains(&ty.name()) {
            write_type(&mut text, registry, ty);
            text.push('\n');
        }
    }
    for directive in registry.directives.values() {
        if BUILT_IN.contains(&directive.name.as_str()) {
            continue;
        }
        push(&mut text, format_args!("directive @{}", directive.name));
        write_arguments(&mut text, &directive.args);
        if directive.is_repeatable {
            text.push_str(" repeatable");
        }
        let locations = directive.locations.iter();
        let locations: Vec<_> = locations.map(|one| format!("{one:?}")).collect();
        push(&mut text, format_args!(" on {}\n", locations.join(" | ")));
    }
    text
}

fn write_type(text: &mut String, registry: &Registry, ty: &MetaType) {
    match ty {
        MetaType::Scalar { name, .. } => push(text, format_args!("scalar {name}")),
        MetaType::Object { name, fields, .. } => {
            push(text, format_args!("type {name}"));
            write_interfaces(text, registry, name);
            write_fields(text, fields);
        }
        MetaType::Interface { name, fields, .. } => {
            push(text, format_args!("interface {name}"));
            write_interfaces(text, registry, name);
            write_fields(text, fields);
        }
        MetaType::Union {
            name,
            possible_types,
            ..
        } => {
            push(text, format_args!("union {name} ="));
            for member in possible_types {
                push(text, format_args!(" | {member}"));
            }
        }
        MetaType::Enum {
            name, enum_values, ..
        } => {
            push(text, format_args!("enum {name} {{"));
            for value in enum_values.keys() {
                push(text, format_args!(" {value}"));
            }
            text.push_str(" }");
        }
        MetaType::InputObject {
            name, input_fields, ..
        } => {
            push(text, format_args!("input {name} {{"));
            for field in input_fields.values() {
                write_input(text, field);
            }
            text.push_str(" }");
        }
    }
}

fn write_interfaces(text: &mut String, registry: &Registry, name: &str) {
    let interfaces = registry.implements.get(name).into_iter().flatten();
    for (index, interface) in interfaces.enumerate() {
        let before = if index == 0 { " implements " } else { " & " };
        push(text, format_args!("{before}{interface}"));
    }
}

fn write_fields(text: &mut String, fields: &IndexMap<String, MetaField>) {
    text.push_str(" {");
    // The query type has `__schema` and `__type`, which apollo-compiler adds itself.
    let fields = fields.values();
    for field in fields.filter(|field| !field.name.starts_with("__")) {
        push(text, format_args!(" {}", field.name));
        write_arguments(text, &field.args);
        push(text, format_args!(": {}", field.ty));
    }
    text.push_str(" }");
}

fn write_arguments(text: &mut String, arguments: &IndexMap<String, MetaInputValue>) {
    if arguments.is_empty() {
        return;
    }
    text.push('(');
    for argument in arguments.values() {
        write_input(text, argument);
    }
    text.push(')');
}

fn write_input(text: &mut String, input: &MetaInputValue) {
    push(text, format_args!(" {}: {}", input.name, input.ty));
    // Validation asks only whether there is a default. Its text is made by `Display` of any type.
    if input.default_value.is_some() {
        text.push_str(" = 0");
    }
}

/// Appends to a `String`, which cannot fail.
fn push(text: &mut String, appended: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(appended);
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock};

    use async_graphql::async_trait::async_trait;
    use async_graphql::extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest,
    };
    use async_graphql::{
        EmptyMutation, EmptySubscription, Enum, InputObject, Interface, Object, OneofObject,
        Request, Schema as Served, ServerResult, SimpleObject, Union,
    };

    use super::*;

    #[derive(SimpleObject)]
    struct Shelf {
        name: String,
    }

    #[derive(Interface)]
    #[graphql(field(name = "name", ty = "&String"))]
    enum Named {
        Shelf(Shelf),
    }

    #[derive(Union)]
    enum Found {
        Shelf(Shelf),
    }

    #[derive(Clone, Copy, Enum, Eq, PartialEq)]
    enum Color {
        Red,
    }

    #[derive(InputObject)]
    struct Wanted {
        #[graphql(default_with = "String::from(\"a \\\" \\u{1}\")")]
        name: String,
        color: Option<Color>,
    }

    #[derive(OneofObject)]
    enum One {
        Id(i32),
        Name(String),
    }

    struct Query;

    #[Object]
    impl Query {
        async fn named(&self, _wanted: Option<Wanted>, _one: Option<One>) -> Vec<Named> {
            Vec::new()
        }
        async fn found(&self) -> Option<Found> {
            None
        }
    }

    /// Keeps the types of the schema that it is added to.
    struct Keep(Arc<OnceLock<TypeSystem>>);

    impl ExtensionFactory for Keep {
        fn create(&self) -> Arc<dyn Extension> {
            Arc::new(Self(Arc::clone(&self.0)))
        }
    }

    #[async_trait]
    impl Extension for Keep {
        async fn prepare_request(
            &self,
            ctx: &ExtensionContext<'_>,
            request: Request,
            next: NextPrepareRequest<'_>,
        ) -> ServerResult<Request> {
            self.0
                .get_or_init(|| TypeSystem::of(&ctx.schema_env.registry));
            next.run(ctx, request).await
        }
    }

    #[tokio::test]
    async fn the_types_are_valid_and_those_of_the_schema() {
        let types = Arc::new(OnceLock::new());
        let served = Served::build(Query, EmptyMutation, EmptySubscription)
            .extension(Keep(Arc::clone(&types)))
            .finish();
        assert_eq!(served.execute("{ __typename }").await.errors, []);
        let types = types.get().unwrap();
        // Not `assume_valid`: a schema of async-graphql is valid, but for the defaults, which are not
        // those of the schema.
        let text = types.schema.to_string().replace(" = 0", "");
        // Names of the application do not begin like these.
        let text = text.replace("__No", "No").replace("__none", "none");
        Schema::parse_and_validate(text, "schema").unwrap();
        let ExtendedType::Object(introspection) = &types.schema.types["__Type"] else {
            panic!("no object");
        };
        for field in ["isOneOf", "specifiedByURL", "inputFields"] {
            assert!(introspection.fields.contains_key(field), "{field}");
        }
    }
}
