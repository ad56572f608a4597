//! The fields that a query requests of a document: a selection set of GraphQL as a [`Selection`].
//!
//! async-graphql resolves each field of a query by itself, also two with the same response key:
//! `{ posts { id } posts { title } }`. It merges the objects that they return, but not documents,
//! which are bytes. Therefore each of the two is resolved with the fields that both request, and
//! async-graphql drops one of the two equal values.

use async_graphql::parser::types::{Field, Selection as Item, SelectionSet, TypeCondition};
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{ContextBase, Positioned, QueryPathSegment};

use crate::resolve::own_fields::{add_needs, applies, part_of};
use crate::spec::operation::{Fragments, fields_with_key, root_type};
use crate::spec::placeholder::is_placeholder;
use fraiseql_runtime::schema::Shape;
use fraiseql_runtime::select::{Selected, Selection};

/// The fields that are requested of a document, and the form in which to return them.
pub(crate) struct RequestedFields<'a> {
    pub(crate) selection: Selection,
    /// The selection sets that it is made of.
    pub(crate) sets: Vec<&'a SelectionSet>,
    /// Whether fields of the application are among them, at any depth.
    pub(crate) has_own_fields: bool,
    /// Whether to return a tree of values, which async-graphql can merge, in place of bytes:
    /// several fields have this response key, and which of them apply depends on the type of an
    /// object.
    pub(crate) as_values: bool,
}

impl<'a> RequestedFields<'a> {
    /// The fields that are requested of the documents of the field that is being resolved.
    pub(crate) fn of(ctx: &ContextBase<'a, &'a Positioned<SelectionSet>>, shape: &Shape) -> Self {
        let (sets, as_values) = match merged_fields(ctx) {
            MergedFields::Single => (vec![&ctx.item.node], false),
            MergedFields::Several(sets) => (sets, false),
            MergedFields::TypeDependent => (vec![&ctx.item.node], true),
        };
        let mut builder = SelectionBuilder {
            registry: &ctx.schema_env.registry,
            fragments: &ctx.query_env.fragments,
            has_own_fields: false,
        };
        let mut selection = Selection::new();
        for set in &sets {
            builder.add(&mut selection, set, shape);
        }
        Self {
            selection,
            sets,
            has_own_fields: builder.has_own_fields,
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

struct SelectionBuilder<'a> {
    registry: &'a Registry,
    fragments: &'a Fragments,
    has_own_fields: bool,
}

impl SelectionBuilder<'_> {
    /// Adds the fields of a selection set to a selection, which merges those with one response key.
    /// Unknown fields are added as well: compiling the selection reports them.
    fn add(&mut self, selection: &mut Selection, set: &SelectionSet, shape: &Shape) {
        let registry = self.registry;
        let applies =
            |condition: &Positioned<TypeCondition>| applies(registry, &condition.node, shape);
        for item in &set.items {
            match &item.node {
                // A projection writes an object without fields as `{}`: it needs no placeholder.
                Item::Field(field) if is_placeholder(&field.node) => {}
                Item::Field(field) => {
                    if add_needs(selection, shape, &field.node.name.node) {
                        self.has_own_fields = true;
                    } else {
                        let field = self.selected(&field.node, shape);
                        selection.push(field);
                    }
                }
                Item::FragmentSpread(spread) => {
                    let fragment = self.fragments.get(&spread.node.fragment_name.node);
                    if let Some(fragment) = fragment
                        && applies(&fragment.node.type_condition)
                    {
                        self.add(selection, &fragment.node.selection_set.node, shape);
                    }
                }
                Item::InlineFragment(fragment) => {
                    if fragment.node.type_condition.as_ref().is_none_or(applies) {
                        self.add(selection, &fragment.node.selection_set.node, shape);
                    }
                }
            }
        }
    }

    /// A field with the fields that are requested of its part.
    fn selected(&mut self, field: &Field, shape: &Shape) -> Selected {
        let name = field.name.node.as_str();
        let fields = part_of(shape, name).map(|(part, _)| {
            let mut nested = Selection::new();
            self.add(&mut nested, &field.selection_set.node, part);
            nested
        });
        Selected {
            name: name.to_owned(),
            alias: field.alias.as_ref().map(|alias| alias.node.to_string()),
            fields,
        }
    }
}
