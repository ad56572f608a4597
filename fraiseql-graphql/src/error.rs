//! Errors of a request, with a code in their extensions.

use async_graphql::{ErrorExtensionValues, Pos, ServerError};

/// The number of errors that the response to an invalid request reports at most. Validation can
/// find an error in each token of a query.
pub(crate) const MAX_REQUEST_ERRORS: usize = 100;

/// Creates an error with `extensions.code`.
pub(crate) fn error(message: impl Into<String>, code: &str) -> ServerError {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    let mut error = ServerError::new(message, None);
    error.extensions = Some(extensions);
    error
}

/// Creates an error at a position of the query, without a code.
pub(crate) fn error_at(pos: Pos, message: impl Into<String>) -> ServerError {
    ServerError::new(message, Some(pos))
}

/// Shortens a message that may quote the client's input. The beginning and the end are kept.
pub(crate) fn clip(message: &mut String) {
    const HALF: usize = 400;
    if message.len() > 3 * HALF {
        let start = message.floor_char_boundary(HALF);
        let end = message.ceil_char_boundary(message.len() - HALF);
        message.replace_range(start..end, " .. ");
    }
}
