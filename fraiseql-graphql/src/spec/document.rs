//! The form of a valid document for execution.

use std::collections::HashSet;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::registry::Registry;
use async_graphql::{Name, ServerResult};

use crate::spec::{placeholder, unions, variables};

/// A document that is valid for a schema, in the form in which async-graphql executes it as the
/// specification requires.
pub(crate) struct ValidDocument {
    /// The document in another form, if it needs one.
    adapted: Option<ExecutableDocument>,
    /// Whether the other form has placeholders, which are to be removed from the response.
    pub(crate) has_placeholders: bool,
}

impl ValidDocument {
    pub(crate) fn of(registry: &Registry, document: &ExecutableDocument) -> ServerResult<Self> {
        // Most documents need no other form: those are not cloned.
        let mut adapted = unions::expanded(registry, document)?;
        let mut has_placeholders = false;
        if placeholder::may_be_needed(document) {
            let is_adapted = adapted.is_some();
            let mut copy = adapted.take().unwrap_or_else(|| document.clone());
            has_placeholders = placeholder::insert(&mut copy);
            adapted = (is_adapted || has_placeholders).then_some(copy);
        }
        Ok(Self {
            adapted,
            has_placeholders,
        })
    }

    /// The document to execute in place of `document`: adapted, and without the arguments of the
    /// variables that are omitted. `None` if `document` itself is to be executed.
    pub(crate) fn rewritten(
        &self,
        document: &ExecutableDocument,
        omitted: &HashSet<Name>,
    ) -> Option<ExecutableDocument> {
        if omitted.is_empty() {
            return self.adapted.clone();
        }
        let mut document = self.adapted.as_ref().unwrap_or(document).clone();
        variables::drop_omitted(&mut document, omitted);
        Some(document)
    }
}
