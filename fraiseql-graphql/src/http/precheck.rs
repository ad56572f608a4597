//! Checks of a request before the schema executes it.

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Request, ServerError};
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, StatusCode};

use crate::error::error;
use crate::http::refusal::Refusal;
use crate::http::settings::Settings;
use crate::request::context::EndpointQuery;
use crate::request::query::ReadQuery;
use crate::spec::operation::operation;
use crate::spec::variables;

const ONLY_POST: HeaderValue = HeaderValue::from_static("POST");

/// Checks whether the query of a request may be executed, and attaches it to the request. `is_read` is
/// whether the method is GET or HEAD. The inner error is one of GraphQL.
pub(super) fn precheck(
    request: &mut Request,
    read: ReadQuery,
    settings: &Settings,
    is_read: bool,
) -> Result<Result<(), ServerError>, Refusal> {
    let document = &read.query.document;
    // If the operation is unknown, the schema reports it.
    let operation = operation(document, request.operation_name.as_deref());
    if is_read && operation.is_some_and(|operation| operation.ty == OperationType::Mutation) {
        let refusal = Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "a mutation is sent with POST",
        );
        return Err(refusal.with_header(ALLOW, ONLY_POST));
    }
    if let Some(error) = operation.and_then(|operation| missing_variable(operation, request)) {
        return Ok(Err(error));
    }
    if !settings.introspection && introspects(document) {
        let message = "introspection is switched off";
        return Ok(Err(error(message, "INTROSPECTION_DISABLED")));
    }
    let name = request.operation_name.as_deref();
    request.set_parsed_query(read.query.executable(name));
    request.data.insert(EndpointQuery::new(read));
    Ok(Ok(()))
}

/// The error of the first required variable without a value. A schema without
/// [`Prepared`](crate::Prepared) would notice it only when a resolver needs the value, possibly in
/// the middle of a mutation.
fn missing_variable(operation: &OperationDefinition, request: &Request) -> Option<ServerError> {
    operation.variable_definitions.iter().find_map(|variable| {
        let message = variables::missing_required(&variable.node, &request.variables)?;
        let mut error = error(message, "BAD_USER_INPUT");
        error.locations.push(variable.pos);
        Some(error)
    })
}

/// Whether any part of a document selects the schema, executed or not.
fn introspects(document: &ExecutableDocument) -> bool {
    let operations = document.operations.iter();
    let fragments = document.fragments.values();
    let mut selections = operations
        .map(|(_, operation)| &operation.node.selection_set.node)
        .chain(fragments.map(|fragment| &fragment.node.selection_set.node));
    selections.any(selects_schema)
}

/// Whether a selection has `__schema` or `__type`. Its depth is within the limits.
fn selects_schema(selection: &SelectionSet) -> bool {
    selection.items.iter().any(|item| match &item.node {
        Selection::Field(field) => {
            matches!(field.node.name.node.as_str(), "__schema" | "__type")
                || selects_schema(&field.node.selection_set.node)
        }
        Selection::InlineFragment(fragment) => selects_schema(&fragment.node.selection_set.node),
        // Each fragment is searched once, in `introspects`.
        Selection::FragmentSpread(_) => false,
    })
}
