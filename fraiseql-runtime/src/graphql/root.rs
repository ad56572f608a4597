//! The answer's outermost object, as the specification has it.
//!
//! The library puts fields into it in the order in which they were ready, and leaves those out
//! that failed.

use async_graphql::indexmap::{IndexMap, IndexSet};
use async_graphql::parser::types::{
    Directive, OperationDefinition, Selection as Item, SelectionSet,
};
use async_graphql::registry::{MetaTypeName, Registry};
use async_graphql::{Name, Positioned, Response, Value, Variables};

use super::asked::{Fragments, fields_called};
use super::prepared::root_type;

/// Puts the fields into the order of the query; those that failed are null, or all is.
pub(super) fn tidy(
    registry: &Registry,
    fragments: &Fragments,
    operation: &OperationDefinition,
    variables: &Variables,
    mut response: Response,
) -> Response {
    let mut data = match response.data {
        Value::Object(data) => data,
        // All failed, or nothing was asked for.
        Value::Null => IndexMap::new(),
        other => {
            response.data = other;
            return response;
        }
    };
    let set = &operation.selection_set.node;
    let mut names = IndexSet::new();
    collect(set, fragments, variables, &mut names);
    let in_order = data.len() == names.len() && data.keys().eq(names.iter().copied());
    if in_order {
        response.data = Value::Object(data);
        return response;
    }
    let root = root_type(registry, operation).and_then(|root| registry.types.get(root));
    let mut ordered = IndexMap::with_capacity(names.len());
    for name in names {
        if let Some(value) = data.swap_remove(name) {
            ordered.insert(name.clone(), value);
            continue;
        }
        let mut fields = Vec::new();
        fields_called(name, set, fragments, &mut fields);
        let cannot_be_null = fields
            .first()
            .and_then(|field| root?.field_by_name(&field.name.node))
            .is_some_and(|field| MetaTypeName::create(&field.ty).is_non_null());
        if cannot_be_null {
            response.data = Value::Null;
            return response;
        }
        ordered.insert(name.clone(), Value::Null);
    }
    response.data = Value::Object(ordered);
    response
}

/// The names in the answer, in the order of the query.
fn collect<'a>(
    set: &'a SelectionSet,
    fragments: &'a Fragments,
    variables: &Variables,
    names: &mut IndexSet<&'a Name>,
) {
    for item in &set.items {
        if is_skipped(item.node.directives(), variables) {
            continue;
        }
        match &item.node {
            Item::Field(field) => {
                names.insert(&field.node.response_key().node);
            }
            Item::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    collect(
                        &fragment.node.selection_set.node,
                        fragments,
                        variables,
                        names,
                    );
                }
            }
            Item::InlineFragment(fragment) => {
                collect(
                    &fragment.node.selection_set.node,
                    fragments,
                    variables,
                    names,
                );
            }
        }
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
