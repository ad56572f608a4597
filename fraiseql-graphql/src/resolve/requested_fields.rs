//! The fields that a query requests of a document: a selection set of GraphQL as a [`Selection`].
//!
//! async-graphql resolves each field of a query by itself, also two with the same response key:
//! `{ posts { id } posts { title } }`. It merges the objects that they return, but not documents,
//! which are bytes. Therefore each of the two is resolved with the fields that both request, and
//! async-graphql drops one of the two equal values.

use async_graphql::parser::types::{Field, Selection as Item, SelectionSet, TypeCondition};
use async_graphql::registry::{MetaType, MetaTypeName};
use async_graphql::{ContextBase, Positioned, QueryPathSegment};

use crate::spec::operation::{Fragments, fields_with_key, root_type};
use crate::spec::placeholder::is_placeholder;
use fraiseql_runtime::schema::{Shape, Source};
use fraiseql_runtime::select::{Selected, Selection};

/// The fields that are requested of a document, and the form in which to return them.
pub(crate) struct RequestedFields {
    pub(crate) selection: Selection,
    /// Whether to return a tree of values, which async-graphql can merge, in place of bytes:
    /// several fields have this response key, and which of them apply depends on the type of an
    /// object.
    pub(crate) as_values: bool,
}

impl RequestedFields {
    /// The fields that are requested of the documents of the field that is being resolved.
    pub(crate) fn of(ctx: &ContextBase<'_, &Positioned<SelectionSet>>, shape: &Shape) -> Self {
        let fragments = &ctx.query_env.fragments;
        let mut selection = Selection::new();
        let mut as_values = false;
        match merged_fields(ctx) {
            MergedFields::Single => add(&mut selection, &ctx.item.node, shape, fragments),
            MergedFields::Several(sets) => {
                for set in sets {
                    add(&mut selection, set, shape, fragments);
                }
            }
            MergedFields::TypeDependent => {
                as_values = true;
                add(&mut selection, &ctx.item.node, shape, fragments);
            }
        }
        Self {
            selection,
            as_values,
        }
    }
}

/// The fields of a query that share one place in the response.
enum MergedFields<'a> {
    /// There is only the field that is being resolved.
    Single,
    /// There are several, with these selection sets.
    Several(Vec<&'a SelectionSet>),
    /// There are several, and which of them apply depends on the type of an object.
    TypeDependent,
}

/// Finds the fields that share the place in the response of the field that is being resolved.
fn merged_fields<'a>(ctx: &ContextBase<'a, &'a Positioned<SelectionSet>>) -> MergedFields<'a> {
    let Some(node) = ctx.path_node else {
        return MergedFields::Single;
    };
    // The response keys from the root to this field. Positions in lists do not matter: all items of
    // a list are selected from by the same sets.
    let mut path: Vec<&str> = std::iter::once(&node)
        .chain(node.parents())
        .filter_map(|node| match node.segment {
            QueryPathSegment::Name(name) => Some(name),
            QueryPathSegment::Index(_) => None,
        })
        .collect();
    path.reverse();

    // At each level, all sets that contribute to the object are searched for the next key, not only
    // the one that async-graphql is resolving: in `{ a { posts { id } } a { posts { title } } }`
    // the fields `posts` are merged because the fields `a` are.
    let operation = &ctx.query_env.operation.node;
    let registry = &ctx.schema_env.registry;
    let mut ty = root_type(registry, operation);
    let mut sets = vec![&operation.selection_set.node];
    let mut is_several = false;
    let mut only_objects = true;
    for key in path {
        let mut fields = Vec::new();
        for set in sets {
            fields_with_key(key, set, &ctx.query_env.fragments, &mut fields);
        }
        is_several |= fields.len() > 1;
        let parent = ty.and_then(|ty| registry.types.get(ty));
        // The fields of an object type all apply. Those of an interface or a union were collected
        // regardless of their fragments' types, which may apply to different objects.
        only_objects &= matches!(parent, Some(MetaType::Object { .. }));
        // Any of the fields gives the type: validation has ensured that they are the same field.
        ty = parent
            .zip(fields.first())
            .and_then(|(parent, field)| parent.field_by_name(&field.name.node))
            .map(|field| MetaTypeName::concrete_typename(&field.ty));
        sets = fields
            .iter()
            .map(|field| &field.selection_set.node)
            .collect();
    }
    match (is_several, only_objects) {
        (false, _) => MergedFields::Single,
        (true, true) => MergedFields::Several(sets),
        (true, false) => MergedFields::TypeDependent,
    }
}

/// Adds the fields of a selection set to a selection, which merges those with one response key.
/// Unknown fields are added as well: compiling the selection reports them.
fn add(selection: &mut Selection, set: &SelectionSet, shape: &Shape, fragments: &Fragments) {
    let applies = |condition: &Positioned<TypeCondition>| condition.node.on.node == shape.type_name;
    for item in &set.items {
        match &item.node {
            // A projection writes an object without fields as `{}`: it needs no placeholder.
            Item::Field(field) if is_placeholder(&field.node) => {}
            Item::Field(field) => selection.push(selected(&field.node, shape, fragments)),
            Item::FragmentSpread(spread) => {
                let fragment = fragments.get(&spread.node.fragment_name.node);
                if let Some(fragment) = fragment
                    && applies(&fragment.node.type_condition)
                {
                    let set = &fragment.node.selection_set.node;
                    add(selection, set, shape, fragments);
                }
            }
            Item::InlineFragment(fragment) => {
                if fragment.node.type_condition.as_ref().is_none_or(applies) {
                    let set = &fragment.node.selection_set.node;
                    add(selection, set, shape, fragments);
                }
            }
        }
    }
}

/// A field with the fields that are requested of its part.
fn selected(field: &Field, shape: &Shape, fragments: &Fragments) -> Selected {
    let name = field.name.node.as_str();
    let part = shape
        .fields
        .iter()
        .find(|field| field.json == name)
        .and_then(|field| match &field.source {
            Source::One(one) => Some((one.shape)()),
            Source::Many(many) => Some((many.shape)()),
            _ => None,
        });
    let fields = part.map(|part| {
        let mut nested = Selection::new();
        add(&mut nested, &field.selection_set.node, part, fragments);
        nested
    });
    Selected {
        name: name.to_owned(),
        alias: field.alias.as_ref().map(|alias| alias.node.to_string()),
        fields,
    }
}
