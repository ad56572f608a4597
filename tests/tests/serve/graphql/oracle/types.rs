//! The types of a schema, read from its SDL.

use std::collections::BTreeMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};

pub(crate) struct Types {
    pub(crate) of: BTreeMap<String, Type>,
    /// Whether the schema has the directive `@tag(name: String!)`.
    pub(crate) has_tags: bool,
}

pub(crate) enum Type {
    /// With the interfaces that it implements and the unions that contain it.
    Object(Vec<Field>, Vec<String>),
    /// With its possible object types.
    Abstract(Vec<Field>, Vec<String>),
    Enum(Vec<String>),
    /// And whether exactly one of its fields must be given.
    Input(Vec<Argument>, bool),
    Scalar,
}

#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) ty: String,
    pub(crate) args: Vec<Argument>,
}

#[derive(Clone)]
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) ty: String,
    pub(crate) default: bool,
}

/// The innermost type.
pub(crate) fn named(ty: &str) -> &str {
    ty.trim_matches(['[', ']', '!'])
}

impl Types {
    pub(crate) fn of(sdl: &str) -> Self {
        let mut of = BTreeMap::new();
        for name in ["Int", "Float", "String", "Boolean", "ID"] {
            of.insert(name.to_owned(), Type::Scalar);
        }
        let mut belongs: Vec<(String, String)> = Vec::new();
        for definition in parse_schema(sdl).unwrap().definitions {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            let name = definition.node.name.node.to_string();
            let argument = |one: &async_graphql::Positioned<
                async_graphql::parser::types::InputValueDefinition,
            >| Argument {
                name: one.node.name.node.to_string(),
                ty: one.node.ty.node.to_string(),
                default: one.node.default_value.is_some(),
            };
            let fields = |all: &[async_graphql::Positioned<
                async_graphql::parser::types::FieldDefinition,
            >]| {
                all.iter()
                    .map(|one| Field {
                        name: one.node.name.node.to_string(),
                        ty: one.node.ty.node.to_string(),
                        args: one.node.arguments.iter().map(argument).collect(),
                    })
                    .collect::<Vec<_>>()
            };
            let ty = match &definition.node.kind {
                TypeKind::Scalar => Type::Scalar,
                TypeKind::Object(object) => {
                    let interfaces = object.implements.iter();
                    belongs.extend(interfaces.map(|one| (one.node.to_string(), name.clone())));
                    Type::Object(fields(&object.fields), Vec::new())
                }
                TypeKind::Interface(one) => Type::Abstract(fields(&one.fields), Vec::new()),
                TypeKind::Union(union) => {
                    let members = union.members.iter();
                    belongs.extend(members.map(|one| (name.clone(), one.node.to_string())));
                    Type::Abstract(Vec::new(), Vec::new())
                }
                TypeKind::Enum(one) => {
                    let values = one.values.iter();
                    Type::Enum(values.map(|one| one.node.value.node.to_string()).collect())
                }
                TypeKind::InputObject(one) => {
                    let directives = &definition.node.directives;
                    let oneof = directives.iter().any(|one| one.node.name.node == "oneOf");
                    Type::Input(one.fields.iter().map(argument).collect(), oneof)
                }
            };
            of.insert(name, ty);
        }
        for (whole, member) in belongs {
            if let Some(Type::Abstract(_, members)) = of.get_mut(&whole) {
                members.push(member.clone());
            }
            if let Some(Type::Object(_, wholes)) = of.get_mut(&member) {
                wholes.push(whole);
            }
        }
        Self {
            of,
            has_tags: sdl.contains("directive @tag("),
        }
    }

    pub(crate) fn fields(&self, ty: &str) -> &[Field] {
        match self.of.get(named(ty)) {
            Some(Type::Object(fields, _) | Type::Abstract(fields, _)) => fields,
            _ => &[],
        }
    }

    pub(crate) fn is_composite(&self, ty: &str) -> bool {
        let of = self.of.get(named(ty));
        matches!(of, Some(Type::Object(..) | Type::Abstract(..)))
    }

    /// Types that fragments on objects of this type can have.
    pub(crate) fn conditions(&self, ty: &str) -> Vec<String> {
        let mut all = vec![ty.to_owned()];
        if let Some(Type::Object(_, others) | Type::Abstract(_, others)) = self.of.get(ty) {
            all.extend(others.iter().cloned());
        }
        all
    }
}
