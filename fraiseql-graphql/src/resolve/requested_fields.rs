//! What a query asks of a document: GraphQL's selection sets, as [`Selection`]s.
//!
//! The library resolves each field of a query by itself, also where two of them have one name
//! in the answer: `{ posts { id } posts { title } }`. It merges objects, but not the bytes that
//! documents are written as. So each of the two is resolved with what both ask for, and one of
//! the two equal answers is dropped.

use async_graphql::parser::types::{Field, Selection as Item, SelectionSet, TypeCondition};
use async_graphql::registry::{MetaType, MetaTypeName};
use async_graphql::{ContextBase, Positioned, QueryPathSegment};

use crate::spec::operation::{Fragments, root_type};
use crate::spec::placeholder::is_mark;
use fraiseql_runtime::schema::{Shape, Source};
use fraiseql_runtime::select::{Selected, Selection};

/// What is asked of a document, and how the answer is to be given.
pub(crate) struct Asked {
    pub(crate) selection: Selection,
    /// The fields of one name in the answer are of different types, by their fragments. The
    /// library has to merge their answers, so they are to be given as trees of values.
    pub(crate) as_values: bool,
}

impl Asked {
    /// What is asked of the documents of the field that is being resolved.
    pub(crate) fn of(ctx: &ContextBase<'_, &Positioned<SelectionSet>>, shape: &Shape) -> Self {
        let fragments = &ctx.query_env.fragments;
        let mut selection = Selection::new();
        let mut as_values = false;
        match same_name(ctx) {
            Same::One => add(&mut selection, &ctx.item.node, shape, fragments),
            Same::Sets(sets) => {
                for set in sets {
                    add(&mut selection, set, shape, fragments);
                }
            }
            Same::OfOtherTypes => {
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

/// The fields of a query that have one place in the answer.
enum Same<'a> {
    /// There is one.
    One,
    /// There are several, and these are their selection sets.
    Sets(Vec<&'a SelectionSet>),
    /// There are several, and which of them apply depends on the type of an object.
    OfOtherTypes,
}

/// The fields that have the place in the answer of the field that is being resolved.
fn same_name<'a>(ctx: &ContextBase<'a, &'a Positioned<SelectionSet>>) -> Same<'a> {
    let Some(place) = ctx.path_node else {
        return Same::One;
    };
    let mut path: Vec<&str> = std::iter::once(&place)
        .chain(place.parents())
        .filter_map(|node| match node.segment {
            QueryPathSegment::Name(name) => Some(name),
            QueryPathSegment::Index(_) => None,
        })
        .collect();
    path.reverse();

    let operation = &ctx.query_env.operation.node;
    let registry = &ctx.schema_env.registry;
    let mut ty = root_type(registry, operation);
    let mut sets = vec![&operation.selection_set.node];
    let mut several = false;
    let mut objects = true;
    for name in path {
        let mut fields = Vec::new();
        for set in sets {
            fields_called(name, set, &ctx.query_env.fragments, &mut fields);
        }
        several |= fields.len() > 1;
        let parent = ty.and_then(|ty| registry.types.get(ty));
        objects &= matches!(parent, Some(MetaType::Object { .. }));
        ty = parent
            .zip(fields.first())
            .and_then(|(parent, field)| parent.field_by_name(&field.name.node))
            .map(|field| MetaTypeName::concrete_typename(&field.ty));
        sets = fields
            .iter()
            .map(|field| &field.selection_set.node)
            .collect();
    }
    match (several, objects) {
        (false, _) => Same::One,
        (true, true) => Same::Sets(sets),
        (true, false) => Same::OfOtherTypes,
    }
}

/// Collects the fields of a name in the answer. `@skip` and `@include` have had their effect.
pub(crate) fn fields_called<'a>(
    name: &str,
    set: &'a SelectionSet,
    fragments: &'a Fragments,
    found: &mut Vec<&'a Field>,
) {
    for item in &set.items {
        match &item.node {
            Item::Field(field) => {
                if field.node.response_key().node == name {
                    found.push(&field.node);
                }
            }
            Item::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    fields_called(name, &fragment.node.selection_set.node, fragments, found);
                }
            }
            Item::InlineFragment(fragment) => {
                fields_called(name, &fragment.node.selection_set.node, fragments, found);
            }
        }
    }
}

/// Adds the fields of a selection set to a selection. Fields that the shape has not are left
/// to whom compiles the selection.
fn add(selection: &mut Selection, set: &SelectionSet, shape: &Shape, fragments: &Fragments) {
    let applies = |condition: &Positioned<TypeCondition>| condition.node.on.node == shape.type_name;
    for item in &set.items {
        match &item.node {
            // Objects of ours can be without fields.
            Item::Field(field) if is_mark(&field.node) => {}
            Item::Field(field) => selection.push(selected(&field.node, shape, fragments)),
            Item::FragmentSpread(spread) => {
                let fragment = fragments.get(&spread.node.fragment_name.node);
                if let Some(fragment) = fragment
                    && applies(&fragment.node.type_condition)
                {
                    add(
                        selection,
                        &fragment.node.selection_set.node,
                        shape,
                        fragments,
                    );
                }
            }
            Item::InlineFragment(fragment) => {
                if fragment.node.type_condition.as_ref().is_none_or(applies) {
                    add(
                        selection,
                        &fragment.node.selection_set.node,
                        shape,
                        fragments,
                    );
                }
            }
        }
    }
}

fn selected(field: &Field, shape: &Shape, fragments: &Fragments) -> Selected {
    let name = field.name.node.as_str();
    let child = shape
        .fields
        .iter()
        .find(|field| field.json == name)
        .and_then(|field| match &field.source {
            Source::One(one) => Some((one.shape)()),
            Source::Many(many) => Some((many.shape)()),
            _ => None,
        });
    let fields = child.map(|child| {
        let mut nested = Selection::new();
        add(&mut nested, &field.selection_set.node, child, fragments);
        nested
    });
    Selected {
        name: name.to_owned(),
        alias: field.alias.as_ref().map(|alias| alias.node.to_string()),
        fields,
    }
}
