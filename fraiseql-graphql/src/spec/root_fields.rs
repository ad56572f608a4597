//! The root object of a response: the order of its fields, and null for a field that failed.
//!
//! async-graphql inserts root fields in the order in which their resolvers finish, and omits those
//! that failed. The specification requires the order of the query, `null` for a failed field whose
//! type is nullable, and `data: null` for one whose type is not.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    Directive, Field, OperationDefinition, Selection as Item, SelectionSet,
};
use async_graphql::registry::{MetaField, MetaType, MetaTypeName, Registry};
use async_graphql::{CacheControl, Name, Positioned, Response, Value, Variables};

use crate::spec::operation::{Fragments, root_type};

/// The fields of the root object that a response must have, in order.
pub(crate) struct RootFields {
    fields: Vec<RootField>,
    /// Whether all of them are of introspection.
    pub(crate) are_introspection: bool,
}

struct RootField {
    key: Name,
    nullable: bool,
    /// How long its value may be cached, as its type says. `None` if it is the same for all requests.
    cache: Option<CacheControl>,
}

impl RootFields {
    /// Collects the root fields of an operation, with these variables.
    pub(crate) fn of(
        registry: &Registry,
        fragments: &Fragments,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> Self {
        let root = root_type(registry, operation).and_then(|root| registry.types.get(root));
        let mut fields = IndexMap::new();
        let set = &operation.selection_set.node;
        collect(set, fragments, variables, &mut fields);
        let are_introspection = fields
            .values()
            .all(|field| field.name.node.starts_with("__"));
        let fields = fields.into_iter().map(|(key, field)| {
            let name = field.name.node.as_str();
            let definition = root.and_then(|root| root.field_by_name(name));
            RootField {
                key: key.clone(),
                // Introspection fields are not in the type; they do not fail.
                nullable: definition
                    .is_none_or(|field| !MetaTypeName::create(&field.ty).is_non_null()),
                cache: (name != "__typename").then(|| cache_hint(root, definition)),
            }
        });
        Self {
            fields: fields.collect(),
            are_introspection,
        }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Name> {
        self.fields.iter().map(|field| &field.key)
    }

    /// The fields whose values may change, each with what its type says about caching.
    pub(crate) fn cache_hints(&self) -> impl Iterator<Item = (&Name, CacheControl)> {
        let fields = self.fields.iter();
        fields.filter_map(|field| Some((&field.key, field.cache?)))
    }

    /// Orders the fields of a response as the query does, and sets those that failed to null. If
    /// one of these cannot be null, `data` is.
    pub(crate) fn complete(&self, mut response: Response) -> Response {
        let mut data = match response.data {
            Value::Object(data) => data,
            // async-graphql has null for an object without fields: all of them failed or were
            // skipped.
            Value::Null => IndexMap::new(),
            other => {
                response.data = other;
                return response;
            }
        };
        // Almost always: no field failed, and a single field has but one order.
        if data.keys().eq(self.fields.iter().map(|field| &field.key)) {
            response.data = Value::Object(data);
            return response;
        }
        let mut ordered = IndexMap::with_capacity(self.fields.len());
        for field in &self.fields {
            let value = match data.swap_remove(&field.key) {
                Some(value) => value,
                None if field.nullable => Value::Null,
                // The null of a field that cannot be null passes on to the object around it. The
                // root object has none around it: all of `data` is null.
                None => {
                    response.data = Value::Null;
                    return response;
                }
            };
            ordered.insert(field.key.clone(), value);
        }
        response.data = Value::Object(ordered);
        response
    }
}

/// The hint of a root field, or that of the root type.
fn cache_hint(root: Option<&MetaType>, field: Option<&MetaField>) -> CacheControl {
    let of_root = match root {
        Some(MetaType::Object { cache_control, .. }) => *cache_control,
        _ => CacheControl::default(),
    };
    let of_field = field.map_or_else(CacheControl::default, |field| field.cache_control);
    CacheControl {
        public: of_root.public && of_field.public,
        max_age: match of_field.max_age {
            0 => of_root.max_age,
            own => own,
        },
    }
}

/// Collects the response keys of a selection set in the order of the query, each with the first of
/// its fields (`CollectFields` of the specification).
///
/// Type conditions need no check: a valid fragment in the root selection applies to the root type.
pub(super) fn collect<'a>(
    set: &'a SelectionSet,
    fragments: &'a Fragments,
    variables: &Variables,
    fields: &mut IndexMap<&'a Name, &'a Field>,
) {
    for item in &set.items {
        if is_skipped(item.node.directives(), variables) {
            continue;
        }
        let set = match &item.node {
            Item::Field(field) => {
                let field = &field.node;
                fields.entry(&field.response_key().node).or_insert(field);
                continue;
            }
            Item::FragmentSpread(spread) => match fragments.get(&spread.node.fragment_name.node) {
                Some(fragment) => &fragment.node.selection_set,
                None => continue,
            },
            Item::InlineFragment(fragment) => &fragment.node.selection_set,
        };
        collect(&set.node, fragments, variables, fields);
    }
}

/// Whether `@skip` or `@include` excludes what has these directives.
pub(crate) fn is_skipped(directives: &[Positioned<Directive>], variables: &Variables) -> bool {
    directives.iter().any(|directive| {
        let skipped_if = match directive.node.name.node.as_str() {
            "skip" => true,
            "include" => false,
            _ => return false,
        };
        let value = directive.node.get_argument("if").and_then(|value| {
            let variable = |name: Name| variables.get(&name).cloned().ok_or(());
            value.node.clone().into_const_with(variable).ok()
        });
        value == Some(Value::Boolean(skipped_if))
    })
}
