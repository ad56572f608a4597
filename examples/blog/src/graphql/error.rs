//! Errors of commands, as clients see them.

use async_graphql::ErrorExtensions as _;

use crate::service::Error;

/// Why a command was not done. What is made for clients has a code for programs; the rest is
/// hidden from them by the endpoint, and logged.
pub(super) struct Failed(Error);

/// What a resolver answers.
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
