//! Conversion of command errors to GraphQL errors.

use async_graphql::ErrorExtensions as _;

use crate::service::Error;

/// An error of a command. Errors that are meant for clients have a code; for the others, the
/// endpoint logs the details and returns "internal error".
pub(super) struct Failed(Error);

/// The result of a resolver.
pub(super) type Result<T> = std::result::Result<T, Failed>;

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<Failed> for async_graphql::Error {
    fn from(Failed(error): Failed) -> Self {
        match error.code() {
            Some(code) => Self::new(error.to_string()).extend_with(|_, e| e.set("code", code)),
            None => Self::new_with_source(error),
        }
    }
}
