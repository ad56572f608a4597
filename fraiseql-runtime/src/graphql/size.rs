//! How large a query is, once its fragments are put in place.
//!
//! A fragment that is used twice by one that is used twice, and so on, is a short text that
//! asks for a billion fields. The sizes are added up fragment by fragment, so that finding that
//! out costs what reading the text costs.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection as Item, SelectionSet};
use async_graphql::{Name, Pos, ServerError};

use super::asked::Fragments;

/// How many selections may be in each other, those of fragments among them: each is a call, and a
/// thousand fragments that lead to each other overflow the stack of a thread.
const MOST_LEVELS: usize = 200;

/// Refuses a document whose operations ask for more than `most` fields, or are nested more than
/// `deepest` objects deep. One whose fragments have a cycle is refused as well.
pub(super) fn check(
    document: &ExecutableDocument,
    most: usize,
    deepest: usize,
) -> Result<(), ServerError> {
    let mut sizes = Sizes {
        fragments: &document.fragments,
        known: HashMap::new(),
        level: 0,
    };
    for (_, operation) in document.operations.iter() {
        let size = sizes.of_set(&operation.node.selection_set.node)?;
        if size.fields > most {
            return Err(ServerError::new(
                format!(
                    "The query asks for more than {most} fields; ask for fewer, or in several \
                     queries."
                ),
                Some(operation.pos),
            ));
        }
        if size.depth > deepest {
            return Err(ServerError::new(
                format!("The query is nested more than {deepest} levels deep."),
                Some(operation.pos),
            ));
        }
    }
    // Fragments that no operation uses are visited by other checks.
    for fragment in document.fragments.values() {
        sizes.of_set(&fragment.node.selection_set.node)?;
    }
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Size {
    fields: usize,
    depth: usize,
}

struct Sizes<'a> {
    fragments: &'a Fragments,
    /// `None` while the fragment's size is being added up.
    known: HashMap<&'a Name, Option<Size>>,
    level: usize,
}

impl<'a> Sizes<'a> {
    fn of_set(&mut self, set: &'a SelectionSet) -> Result<Size, ServerError> {
        let mut whole = Size::default();
        self.level += 1;
        for item in &set.items {
            if self.level > MOST_LEVELS {
                return Err(ServerError::new(
                    format!("Selections are nested more than {MOST_LEVELS} levels deep."),
                    Some(item.pos),
                ));
            }
            let size = match &item.node {
                Item::Field(field) => {
                    let inside = self.of_set(&field.node.selection_set.node)?;
                    Size {
                        fields: inside.fields.saturating_add(1),
                        depth: inside.depth + 1,
                    }
                }
                Item::InlineFragment(fragment) => self.of_set(&fragment.node.selection_set.node)?,
                Item::FragmentSpread(spread) => {
                    self.of_fragment(&spread.node.fragment_name.node, spread.pos)?
                }
            };
            whole.fields = whole.fields.saturating_add(size.fields);
            whole.depth = whole.depth.max(size.depth);
        }
        self.level -= 1;
        Ok(whole)
    }

    fn of_fragment(&mut self, name: &'a Name, pos: Pos) -> Result<Size, ServerError> {
        match self.known.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                return Err(ServerError::new(
                    format!("Cannot spread fragment \"{name}\" within itself."),
                    Some(pos),
                ));
            }
            None => {}
        }
        // One that is not there is reported by the library.
        let Some(fragment) = self.fragments.get(name) else {
            return Ok(Size::default());
        };
        self.known.insert(name, None);
        let size = self.of_set(&fragment.node.selection_set.node)?;
        self.known.insert(name, Some(size));
        Ok(size)
    }
}
