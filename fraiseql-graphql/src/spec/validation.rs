//! Validation of a document, by apollo-compiler.

use apollo_compiler::ast;
use apollo_compiler::diagnostic::ToCliReport as _;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::validation::DiagnosticList;
use async_graphql::ServerError;

use crate::error::{MAX_REQUEST_ERRORS, clip};
use crate::spec::parse::Positions;
use crate::spec::type_system::TypeSystem;

/// The message for a field of an object without a selection.
const SELECTS_NOTHING: &str = "interface, union and object types must have a subselection set";

/// Validates a document, whose size is limited and whose fragments have no cycles. `text` is its
/// text, if that is the client's: the errors then have locations.
pub(crate) fn validate(
    types: &TypeSystem,
    tree: &ast::Document,
    text: Option<&str>,
) -> Result<(), Vec<ServerError>> {
    let Err(failed) = tree.to_executable_validate(&types.schema) else {
        return Ok(());
    };
    let errors = to_errors(types, &failed.errors, text);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// Removes what only follows from another error: that a field selects nothing, if it selects fields that
/// its type does not have.
fn remove_consequences(errors: &mut Vec<(String, Option<SourceSpan>)>) {
    let starts: Vec<usize> = errors
        .iter()
        .filter_map(|(_, span)| span.map(|span| span.offset()))
        .collect();
    errors.retain(|(message, span)| {
        let Some(span) = span.filter(|_| message == SELECTS_NOTHING) else {
            return true;
        };
        let inside = span.offset() + 1..span.end_offset();
        !starts.iter().any(|start| inside.contains(start))
    });
}

fn to_errors(types: &TypeSystem, errors: &DiagnosticList, text: Option<&str>) -> Vec<ServerError> {
    let mut positions = text.map(Positions::new);
    let errors = errors.iter().map(|diagnostic| {
        let message = diagnostic.error.to_string();
        (message, diagnostic.error.location())
    });
    let mut errors: Vec<_> = errors.collect();
    let is_unknown = |(message, _): &(String, _)| types.is_of_unknown_root(message);
    if errors.iter().any(is_unknown) {
        // What such an operation selects is unknown, and so is what it uses.
        errors.retain(|error| {
            let is_unused = error.0.starts_with("unused variable")
                || error.0.ends_with("must be used in an operation");
            !is_unused && !is_unknown(error)
        });
    }
    remove_consequences(&mut errors);
    let errors = errors.into_iter().take(MAX_REQUEST_ERRORS);
    let errors = errors.map(|(mut message, span)| {
        clip(&mut message);
        let pos = positions
            .as_mut()
            .zip(span)
            .map(|(positions, span)| positions.at(span.offset()));
        ServerError::new(message, pos)
    });
    errors.collect()
}
