//! The form of a valid document for execution.

use std::collections::HashSet;

use async_graphql::Name;
use async_graphql::parser::types::ExecutableDocument;

use crate::spec::{placeholder, variables};

/// A document that is valid for a schema, in the form in which async-graphql executes it as the
/// specification requires.
pub(crate) struct ValidDocument {
    /// The document with placeholders, if it needs any.
    with_placeholders: Option<ExecutableDocument>,
}

impl ValidDocument {
    pub(crate) fn of(document: &ExecutableDocument) -> Self {
        // Most documents need no placeholder: those are not cloned.
        let with_placeholders = placeholder::may_be_needed(document).then(|| {
            let mut document = document.clone();
            placeholder::insert(&mut document).then_some(document)
        });
        Self {
            with_placeholders: with_placeholders.flatten(),
        }
    }

    /// Whether the response has placeholders, which are to be removed.
    pub(crate) fn has_placeholders(&self) -> bool {
        self.with_placeholders.is_some()
    }

    /// The document to execute in place of `document`: with placeholders, and without the arguments
    /// of the variables that are omitted. `None` if `document` itself is to be executed.
    pub(crate) fn rewritten(
        &self,
        document: &ExecutableDocument,
        omitted: &HashSet<Name>,
    ) -> Option<ExecutableDocument> {
        if omitted.is_empty() {
            return self.with_placeholders.clone();
        }
        let mut document = self.with_placeholders.as_ref().unwrap_or(document).clone();
        variables::drop_omitted(&mut document, omitted);
        Some(document)
    }
}
