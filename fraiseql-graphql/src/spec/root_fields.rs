//! The answer's outermost object, as the specification has it.
//!
//! The library puts fields into it in the order in which they were ready, and leaves those out
//! that failed.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    Directive, Field, OperationDefinition, Selection as Item, SelectionSet,
};
use async_graphql::registry::{MetaTypeName, Registry};
use async_graphql::{Name, Positioned, Response, Value, Variables};

use crate::spec::operation::Fragments;
use crate::spec::operation::root_type;

/// A field of the outermost object.
pub(crate) struct RootField {
    name: Name,
    can_be_null: bool,
}

/// The fields of the outermost object, in the order of the query.
pub(crate) fn fields(
    registry: &Registry,
    fragments: &Fragments,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Vec<RootField> {
    let root = root_type(registry, operation).and_then(|root| registry.types.get(root));
    let mut fields = IndexMap::new();
    let set = &operation.selection_set.node;
    collect(set, fragments, variables, &mut fields);
    fields
        .into_iter()
        .map(|(name, field)| RootField {
            name: name.clone(),
            can_be_null: root
                .and_then(|root| root.field_by_name(&field.name.node))
                .is_none_or(|field| !MetaTypeName::create(&field.ty).is_non_null()),
        })
        .collect()
}

/// Puts the fields into the order of the query; those that failed are null, or all is.
pub(crate) fn tidy(fields: &[RootField], mut response: Response) -> Response {
    let mut data = match response.data {
        Value::Object(data) => data,
        // All failed, or nothing was asked for.
        Value::Null => IndexMap::new(),
        other => {
            response.data = other;
            return response;
        }
    };
    if data.keys().eq(fields.iter().map(|field| &field.name)) {
        response.data = Value::Object(data);
        return response;
    }
    let mut ordered = IndexMap::with_capacity(fields.len());
    for field in fields {
        let value = match data.swap_remove(&field.name) {
            Some(value) => value,
            None if field.can_be_null => Value::Null,
            None => {
                response.data = Value::Null;
                return response;
            }
        };
        ordered.insert(field.name.clone(), value);
    }
    response.data = Value::Object(ordered);
    response
}

/// The names in the answer, in the order of the query, with the first field of each.
fn collect<'a>(
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

fn is_skipped(directives: &[Positioned<Directive>], variables: &Variables) -> bool {
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
