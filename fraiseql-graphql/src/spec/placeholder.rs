//! Placeholder fields in selections that may end up empty.
//!
//! async-graphql returns `null` for an object if none of its selected fields remain, because of
//! `@skip` or because the fragments have other types; and if the object is selected twice, that
//! `null` hides what the other selection returns. The specification requires an object: `{}`.
//! Therefore a field that always remains is inserted into such a selection, and removed from the
//! response.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, Selection as Item, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, Value};

/// The response key of the placeholder. Names that begin with `__` are reserved by GraphQL.
const KEY: &str = "__selected";

/// Whether a field is a placeholder.
pub(crate) fn is_placeholder(field: &Field) -> bool {
    let alias = field.alias.as_ref();
    field.name.node == "__typename" && alias.is_some_and(|alias| alias.node == KEY)
}

/// Whether any selection of the operations may end up empty. Cheaper than [`insert`], and true more
/// often.
pub(crate) fn may_be_needed(document: &ExecutableDocument) -> bool {
    fn has_conditional(set: &SelectionSet) -> bool {
        set.items.iter().any(|item| match &item.node {
            Item::Field(field) => {
                !field.node.directives.is_empty() || has_conditional(&field.node.selection_set.node)
            }
            // It may apply to another type.
            Item::FragmentSpread(_) | Item::InlineFragment(_) => true,
        })
    }
    let mut operations = document.operations.iter();
    operations.any(|(_, operation)| has_conditional(&operation.node.selection_set.node))
}

/// Inserts a placeholder into each selection of a field that may end up empty. Returns whether
/// there is one.
///
/// The root selection needs none: [`root_fields`](super::root_fields) completes it.
pub(crate) fn insert(document: &mut ExecutableDocument) -> bool {
    let mut any = false;
    match &mut document.operations {
        DocumentOperations::Single(operation) => {
            any |= insert_in_set(&mut operation.node.selection_set.node);
        }
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                any |= insert_in_set(&mut operation.node.selection_set.node);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        any |= insert_in_set(&mut fragment.node.selection_set.node);
    }
    any
}

fn insert_in_set(set: &mut SelectionSet) -> bool {
    let mut any = false;
    for item in &mut set.items {
        match &mut item.node {
            Item::Field(field) => {
                let pos = field.node.selection_set.pos;
                let inner = &mut field.node.selection_set.node;
                any |= insert_in_set(inner);
                if !inner.items.is_empty() && !inner.items.iter().any(|item| remains(&item.node)) {
                    let placeholder = Item::Field(placeholder(pos));
                    inner.items.push(Positioned::new(placeholder, pos));
                    any = true;
                }
            }
            // A fragment adds to the selection of the field around it, which has the placeholder.
            Item::InlineFragment(fragment) => {
                any |= insert_in_set(&mut fragment.node.selection_set.node);
            }
            Item::FragmentSpread(_) => {}
        }
    }
    any
}

/// Whether an item of a selection always remains: it is a field without directives.
fn remains(item: &Item) -> bool {
    matches!(item, Item::Field(field) if field.node.directives.is_empty())
}

fn placeholder(pos: Pos) -> Positioned<Field> {
    let name = |name| Positioned::new(Name::new(name), pos);
    let field = Field {
        alias: Some(name(KEY)),
        name: name("__typename"),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), pos),
    };
    Positioned::new(field, pos)
}

/// Removes the placeholders from a response.
pub(crate) fn remove(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.shift_remove(KEY);
            fields.values_mut().for_each(remove);
        }
        Value::List(items) => items.iter_mut().for_each(remove),
        _ => {}
    }
}
