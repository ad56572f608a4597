//! The operation of a request, and the type that it selects from.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, FragmentDefinition, OperationDefinition, OperationType,
};
use async_graphql::registry::Registry;
use async_graphql::{Name, Positioned};

pub(crate) type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// The name of the type that an operation selects from.
pub(crate) fn root_type<'a>(
    registry: &'a Registry,
    operation: &OperationDefinition,
) -> Option<&'a str> {
    match operation.ty {
        OperationType::Query => Some(&registry.query_type),
        OperationType::Mutation => registry.mutation_type.as_deref(),
        OperationType::Subscription => registry.subscription_type.as_deref(),
    }
}

/// The operation of a document that is to be run; `None` where that is not said.
pub(crate) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    let mut operations = document.operations.iter();
    let found = match name {
        None => operations.next().filter(|_| operations.next().is_none()),
        Some(name) => operations.find(|(one, _)| one.is_some_and(|one| one == name)),
    };
    found.map(|(_, operation)| &operation.node)
}
