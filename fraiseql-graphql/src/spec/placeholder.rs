//! Objects of which nothing may be selected.
//!
//! The library answers `null` for an object whose fields were all left out, by `@skip` or because
//! the fragments are of other types; and where the object stands in the query twice, what the
//! other selects is lost. So a field is added to such a selection, and taken out of the answer.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, Selection as Item, SelectionSet,
};
use async_graphql::{Name, Positioned, Value};

/// The name in the answer of the field that is added. Names that begin so are not the user's.
const MARK: &str = "__selected";

/// Whether a field was added here.
pub(crate) fn is_mark(field: &Field) -> bool {
    let alias = field.alias.as_ref();
    field.name.node == "__typename" && alias.is_some_and(|alias| alias.node == MARK)
}

/// Adds a field to each selection of which all may be left out. Whether there is one.
pub(crate) fn mark(document: &mut ExecutableDocument) -> bool {
    let mut any = false;
    match &mut document.operations {
        DocumentOperations::Single(one) => any |= in_set(&mut one.node.selection_set.node),
        DocumentOperations::Multiple(all) => {
            for one in all.values_mut() {
                any |= in_set(&mut one.node.selection_set.node);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        any |= in_set(&mut fragment.node.selection_set.node);
    }
    any
}

/// Whether there is something in a document that may be left out.
pub(crate) fn may_leave_out(document: &ExecutableDocument) -> bool {
    fn is_in(set: &SelectionSet) -> bool {
        set.items.iter().any(|item| match &item.node {
            Item::Field(field) => {
                !field.node.directives.is_empty() || is_in(&field.node.selection_set.node)
            }
            // Of another type, perhaps.
            Item::FragmentSpread(_) | Item::InlineFragment(_) => true,
        })
    }
    let mut operations = document.operations.iter();
    operations.any(|(_, operation)| is_in(&operation.node.selection_set.node))
}

fn in_set(set: &mut SelectionSet) -> bool {
    let mut any = false;
    for item in &mut set.items {
        match &mut item.node {
            Item::Field(field) => {
                let pos = field.node.selection_set.pos;
                let inside = &mut field.node.selection_set.node;
                any |= in_set(inside);
                if !inside.items.is_empty() && !inside.items.iter().any(|item| stays(&item.node)) {
                    inside
                        .items
                        .push(Positioned::new(Item::Field(added(pos)), pos));
                    any = true;
                }
            }
            Item::InlineFragment(fragment) => any |= in_set(&mut fragment.node.selection_set.node),
            Item::FragmentSpread(_) => {}
        }
    }
    any
}

/// Whether it is a field that is never left out.
fn stays(item: &Item) -> bool {
    matches!(item, Item::Field(field) if field.node.directives.is_empty())
}

fn added(pos: async_graphql::Pos) -> Positioned<Field> {
    let name = |name| Positioned::new(Name::new(name), pos);
    let field = Field {
        alias: Some(name(MARK)),
        name: name("__typename"),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), pos),
    };
    Positioned::new(field, pos)
}

/// Takes what was added out of an answer.
pub(crate) fn unmark(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.shift_remove(MARK);
            fields.values_mut().for_each(unmark);
        }
        Value::List(items) => items.iter_mut().for_each(unmark),
        _ => {}
    }
}
