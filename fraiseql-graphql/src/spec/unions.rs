//! Fragments on a union within objects of another type.
//!
//! async-graphql applies a fragment to an object if its type condition is the object's type, an
//! interface of it, or the type of the field. A union is none of these within an object, an interface
//! or another union. Such a fragment is replaced by fragments on object types.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, InlineFragment, OperationDefinition, Selection as Item,
    SelectionSet, TypeCondition,
};
use async_graphql::registry::{MetaType, Registry};
use async_graphql::{Name, Pos, Positioned, ServerResult};

use crate::error::error;
use crate::spec::operation::{Fragments, root_type};

/// How many fields and fragments are copied at most. The limits of a document count it as it is
/// written, and copies within copies can multiply.
const MAX_COPIED: usize = 10_000;

/// The document with its fragments on unions replaced, if it has any.
pub(crate) fn expanded(
    registry: &Registry,
    document: &ExecutableDocument,
) -> ServerResult<Option<ExecutableDocument>> {
    let is_union = |name: &Name| {
        let ty = registry.types.get(name.as_str());
        matches!(ty, Some(MetaType::Union { .. }))
    };
    let operations = document.operations.iter();
    let fragments = document.fragments.values();
    let mut sets = operations
        .map(|(_, operation)| &operation.node.selection_set.node)
        .chain(fragments.clone().map(|one| &one.node.selection_set.node));
    let on_union = fragments
        .clone()
        .any(|one| is_union(&one.node.type_condition.node.on.node));
    if !on_union && !sets.any(|set| has_condition(set, &is_union)) {
        return Ok(None);
    }
    let mut expander = Expander {
        registry,
        fragments: &document.fragments,
        left: MAX_COPIED,
    };
    let mut expanded = document.clone();
    match &mut expanded.operations {
        DocumentOperations::Single(operation) => {
            expander.operation(&mut operation.node)?;
        }
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                expander.operation(&mut operation.node)?;
            }
        }
    }
    for fragment in expanded.fragments.values_mut() {
        let fragment = &mut fragment.node;
        let parent = expander.ty(&fragment.type_condition.node.on.node);
        expander.set(parent, &mut fragment.selection_set.node)?;
    }
    Ok(Some(expanded))
}

fn has_condition(set: &SelectionSet, is_union: &impl Fn(&Name) -> bool) -> bool {
    set.items.iter().any(|item| match &item.node {
        Item::Field(field) => has_condition(&field.node.selection_set.node, is_union),
        Item::InlineFragment(fragment) => {
            let fragment = &fragment.node;
            let condition = fragment.type_condition.as_ref();
            condition.is_some_and(|condition| is_union(&condition.node.on.node))
                || has_condition(&fragment.selection_set.node, is_union)
        }
        Item::FragmentSpread(_) => false,
    })
}

struct Expander<'a> {
    registry: &'a Registry,
    /// As they are in the document.
    fragments: &'a Fragments,
    /// How much may still be copied.
    left: usize,
}

impl<'a> Expander<'a> {
    fn ty(&self, name: &Name) -> Option<&'a MetaType> {
        self.registry.types.get(name.as_str())
    }

    fn operation(&mut self, operation: &mut OperationDefinition) -> ServerResult<()> {
        let root = root_type(self.registry, operation);
        let root = root.and_then(|root| self.registry.types.get(root));
        self.set(root, &mut operation.selection_set.node)
    }

    fn set(&mut self, parent: Option<&'a MetaType>, set: &mut SelectionSet) -> ServerResult<()> {
        for item in &mut set.items {
            match &mut item.node {
                Item::Field(field) => {
                    let field = &mut field.node;
                    let definition = parent.and_then(|one| one.field_by_name(&field.name.node));
                    let ty =
                        definition.and_then(|field| self.registry.concrete_type_by_name(&field.ty));
                    self.set(ty, &mut field.selection_set.node)?;
                }
                Item::InlineFragment(fragment) => {
                    let pos = fragment.pos;
                    let fragment = &mut fragment.node;
                    let condition = fragment.type_condition.as_ref();
                    let on = condition.map(|condition| condition.node.on.node.clone());
                    match on.and_then(|on| self.ty(&on)) {
                        Some(union) if is_other_union(union, parent) => {
                            let set = std::mem::take(&mut fragment.selection_set.node);
                            fragment.type_condition = None;
                            fragment.selection_set.node = self.expand(parent, union, set, pos)?;
                        }
                        Some(parent) => self.set(Some(parent), &mut fragment.selection_set.node)?,
                        None => self.set(parent, &mut fragment.selection_set.node)?,
                    }
                }
                Item::FragmentSpread(spread) => {
                    let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) else {
                        continue;
                    };
                    let (pos, fragment) = (spread.pos, &fragment.node);
                    if let Some(union) = self.ty(&fragment.type_condition.node.on.node)
                        && is_other_union(union, parent)
                    {
                        let set = self.copy(&fragment.selection_set.node)?;
                        let set = self.expand(parent, union, set, pos)?;
                        let inline = InlineFragment {
                            type_condition: None,
                            directives: std::mem::take(&mut spread.node.directives),
                            selection_set: Positioned::new(set, pos),
                        };
                        item.node = Item::InlineFragment(Positioned::new(inline, pos));
                    }
                }
            }
        }
        Ok(())
    }

    /// The selection of a fragment on a union, for objects of another type.
    fn expand(
        &mut self,
        parent: Option<&'a MetaType>,
        union: &'a MetaType,
        mut set: SelectionSet,
        pos: Pos,
    ) -> ServerResult<SelectionSet> {
        let Some(parent) = parent else {
            return Ok(set);
        };
        let Some(possible) = parent.possible_types() else {
            // Valid, so the object is one of the union.
            self.set(Some(parent), &mut set)?;
            return Ok(set);
        };
        let mut items = Vec::new();
        for name in possible.iter().filter(|name| union.is_possible_type(name)) {
            let mut set = self.copy(&set)?;
            self.set(self.registry.types.get(name), &mut set)?;
            let on = Positioned::new(Name::new(name), pos);
            let inline = InlineFragment {
                type_condition: Some(Positioned::new(TypeCondition { on }, pos)),
                directives: Vec::new(),
                selection_set: Positioned::new(set, pos),
            };
            let inline = Positioned::new(inline, pos);
            items.push(Positioned::new(Item::InlineFragment(inline), pos));
        }
        Ok(SelectionSet { items })
    }

    fn copy(&mut self, set: &SelectionSet) -> ServerResult<SelectionSet> {
        let Some(left) = self.left.checked_sub(1 + size(set)) else {
            let message = "the document has too many fragments on unions within other types";
            return Err(error(message, "DOCUMENT_TOO_LARGE"));
        };
        self.left = left;
        Ok(set.clone())
    }
}

fn is_other_union(ty: &MetaType, parent: Option<&MetaType>) -> bool {
    matches!(ty, MetaType::Union { .. }) && parent.is_none_or(|one| one.name() != ty.name())
}

/// The number of fields and fragments in a selection.
fn size(set: &SelectionSet) -> usize {
    let sizes = set.items.iter().map(|item| match &item.node {
        Item::Field(field) => 1 + size(&field.node.selection_set.node),
        Item::InlineFragment(fragment) => 1 + size(&fragment.node.selection_set.node),
        Item::FragmentSpread(_) => 1,
    });
    sizes.sum()
}
