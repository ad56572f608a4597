//! Errors of requests.

use async_graphql::{ErrorExtensionValues, ServerError};

/// An error with a code.
pub(crate) fn error(message: impl Into<String>, code: &str) -> ServerError {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    let mut error = ServerError::new(message, None);
    error.extensions = Some(extensions);
    error
}

/// Shortens a message that has text of the client's in it: its beginning and its end are left.
pub(crate) fn clip(message: &mut String) {
    const HALF: usize = 400;
    if message.len() > 3 * HALF {
        let start = message.floor_char_boundary(HALF);
        let end = message.ceil_char_boundary(message.len() - HALF);
        message.replace_range(start..end, " .. ");
    }
}
