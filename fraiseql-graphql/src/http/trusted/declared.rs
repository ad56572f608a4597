//! A document as the application or a manifest declares it.

use async_graphql::parser::types::{ExecutableDocument, OperationType};

/// A document with its identifier. Nothing of it has been checked.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) id: String,
    pub(super) text: String,
    /// The operation that the manifest says is in the document.
    pub(super) operation: Option<DeclaredOperation>,
}

/// The name and the type of an operation, in the words of the manifest.
#[derive(Clone, Debug)]
pub(super) struct DeclaredOperation {
    pub(super) name: String,
    pub(super) ty: String,
}

impl DeclaredOperation {
    pub(super) fn is_in(&self, document: &ExecutableDocument) -> bool {
        let ty = match self.ty.as_str() {
            "query" => OperationType::Query,
            "mutation" => OperationType::Mutation,
            "subscription" => OperationType::Subscription,
            _ => return false,
        };
        document.operations.iter().any(|(name, operation)| {
            name.is_some_and(|name| *name == self.name) && operation.node.ty == ty
        })
    }
}
