//! Null in the place of what failed (spec: [Handling Field
//! Errors](https://spec.graphql.org/October2021/#sec-Handling-Field-Errors)).
//!
//! async-graphql omits a failed field from its object, and has null for an object of which all fields
//! failed. If an object below an interface is selected twice and one of the two fails, the response
//! has the other.

use std::collections::HashSet;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, OperationDefinition, Selection as Item, SelectionSet};
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{Name, PathSegment, ServerError, Value};

use crate::response::is_raw;
use crate::spec::operation::{Fragments, root_type};

/// A valid operation of a document, by which the types of a response are known.
#[derive(Clone, Copy)]
pub(crate) struct Selected<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) fragments: &'a Fragments,
    pub(crate) operation: &'a OperationDefinition,
}

/// Selection sets of one object, each with the type that it selects from.
type Sets<'a> = Vec<(Option<&'a MetaType>, &'a SelectionSet)>;

/// Sets the nearest value that can be null, at the path of each error or around it, to null.
pub(crate) fn complete(selected: Selected<'_>, data: &mut Value, errors: &[ServerError]) {
    let paths = errors.iter().filter(|error| !error.path.is_empty());
    let mut places: Vec<&[PathSegment]> = paths
        .map(|error| selected.nearest_nullable(&error.path))
        .collect();
    // Outer ones first: what is within them is gone then.
    places.sort_by_key(|place| place.len());
    let nulls: HashSet<String> = places.iter().map(|place| format!("{place:?}")).collect();
    for place in places {
        let sets = selected.root();
        selected.put_null(data, sets, place, 0, &nulls);
    }
}

impl<'a> Selected<'a> {
    fn root(&self) -> Sets<'a> {
        let root = root_type(self.registry, self.operation);
        let root = root.and_then(|root| self.registry.types.get(root));
        vec![(root, &self.operation.selection_set.node)]
    }

    /// The longest beginning of a path at which the value can be null.
    fn nearest_nullable<'p>(&self, path: &'p [PathSegment]) -> &'p [PathSegment] {
        let mut sets = self.root();
        let mut ty = "";
        let mut length = 0;
        for (index, segment) in path.iter().enumerate() {
            match segment {
                PathSegment::Field(key) => match self.field(&sets, key) {
                    Some((of_field, inner)) => (ty, sets) = (of_field, inner),
                    None => break,
                },
                PathSegment::Index(_) => match MetaTypeName::create(ty) {
                    MetaTypeName::List(item) => ty = item,
                    _ => break,
                },
            }
            match MetaTypeName::create(ty) {
                MetaTypeName::NonNull(inner) => ty = inner,
                _ => length = index + 1,
            }
        }
        &path[..length]
    }

    /// The type of the fields with a response key, and what they select.
    fn field(&self, sets: &Sets<'a>, key: &str) -> Option<(&'a str, Sets<'a>)> {
        let mut fields = Vec::new();
        for (parent, set) in sets {
            self.collect(*parent, set, &mut |parent, field| {
                if field.response_key().node == key {
                    fields.push((parent, field));
                }
            });
        }
        // The types of all of them have the same form: the document is valid.
        let definition = |(parent, field): &(Option<&'a MetaType>, &'a Field)| {
            parent.and_then(|parent| parent.field_by_name(&field.name.node))
        };
        let ty = fields.iter().find_map(definition)?.ty.as_str();
        let inner = fields.iter().map(|one| {
            let ty = definition(one);
            let ty = ty.and_then(|field| self.registry.concrete_type_by_name(&field.ty));
            (ty, &one.1.selection_set.node)
        });
        Some((ty, inner.collect()))
    }

    /// Calls a function for each field of a selection set, through fragments.
    fn collect(
        &self,
        parent: Option<&'a MetaType>,
        set: &'a SelectionSet,
        visit: &mut dyn FnMut(Option<&'a MetaType>, &'a Field),
    ) {
        for item in &set.items {
            let (condition, set) = match &item.node {
                Item::Field(field) => {
                    visit(parent, &field.node);
                    continue;
                }
                Item::FragmentSpread(spread) => {
                    let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) else {
                        continue;
                    };
                    let fragment = &fragment.node;
                    (Some(&fragment.type_condition), &fragment.selection_set)
                }
                Item::InlineFragment(fragment) => {
                    let fragment = &fragment.node;
                    (fragment.type_condition.as_ref(), &fragment.selection_set)
                }
            };
            let parent = match condition {
                Some(condition) => self.registry.types.get(condition.node.on.node.as_str()),
                None => parent,
            };
            self.collect(parent, &set.node, visit);
        }
    }

    /// Sets the value at `path` to null. `depth` is how much of the path leads to `value`, whose
    /// selection is `sets`.
    fn put_null(
        &self,
        value: &mut Value,
        sets: Sets<'a>,
        path: &[PathSegment],
        depth: usize,
        nulls: &HashSet<String>,
    ) {
        let Some(segment) = path.get(depth) else {
            *value = Value::Null;
            return;
        };
        // All fields of this object have failed. The object has not.
        if *value == Value::Null
            && matches!(segment, PathSegment::Field(_))
            && !nulls.contains(&format!("{:?}", &path[..depth]))
        {
            *value = Value::Object(IndexMap::new());
        }
        match (value, segment) {
            // A document is complete: whoever wrote it knows the types.
            (Value::Object(fields), PathSegment::Field(key)) if !is_raw(fields) => {
                let Some((_, inner)) = self.field(&sets, key) else {
                    return;
                };
                if !fields.contains_key(key.as_str()) {
                    fields.insert(Name::new(key), Value::Null);
                    self.sort(fields, &sets);
                }
                if let Some(value) = fields.get_mut(key.as_str()) {
                    self.put_null(value, inner, path, depth + 1, nulls);
                }
            }
            (Value::List(items), PathSegment::Index(index)) => {
                if let Some(item) = items.get_mut(*index) {
                    self.put_null(item, sets, path, depth + 1, nulls);
                }
            }
            _ => {}
        }
    }

    /// Sorts the fields of an object in the order of the query.
    fn sort(&self, fields: &mut IndexMap<Name, Value>, sets: &Sets<'a>) {
        let mut order: IndexMap<&str, usize> = IndexMap::new();
        for (parent, set) in sets {
            self.collect(*parent, set, &mut |_, field| {
                let next = order.len();
                order.entry(&field.response_key().node).or_insert(next);
            });
        }
        fields.sort_by_key(|key, _| order.get(key.as_str()).copied());
    }
}
