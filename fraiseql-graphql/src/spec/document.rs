//! Validation of a document, and its form for execution.

use std::collections::HashSet;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::registry::Registry;
use async_graphql::{Name, ServerError};

use crate::spec::operation::root_type;
use crate::spec::{overlap, placeholder, rules, variables};

/// The result of checking a document against the rules that async-graphql lacks.
pub(crate) struct CheckedDocument {
    /// The document with placeholders, if it needs any.
    with_placeholders: Option<ExecutableDocument>,
}

impl CheckedDocument {
    /// Checks a document, whose size is limited and whose fragments have no cycles.
    pub(crate) fn check(
        registry: &Registry,
        document: &ExecutableDocument,
    ) -> Result<Self, ServerError> {
        for (_, operation) in document.operations.iter() {
            let operation = &operation.node;
            if let Some(root) = root_type(registry, operation) {
                let set = &operation.selection_set.node;
                overlap::check(registry, &document.fragments, root, set)?;
            }
        }
        rules::check(registry, document)?;
        // Most documents need no placeholder: those are not cloned.
        let with_placeholders = placeholder::may_be_needed(document).then(|| {
            let mut document = document.clone();
            placeholder::insert(&mut document).then_some(document)
        });
        Ok(Self {
            with_placeholders: with_placeholders.flatten(),
        })
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
