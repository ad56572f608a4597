//! Conversion of command errors to GraphQL errors.

use async_graphql::{ErrorExtensionValues, ErrorExtensions as _};
use rust_decimal::Decimal;

use crate::error::OrderError;

/// An error of a resolver. Errors that are meant for clients have a code and the HTTP status that says the
/// same, and the values that a program needs to go on; for the others, the endpoint logs the details and
/// returns "internal error".
pub(super) struct Failed(OrderError);

/// The result of a resolver.
pub(super) type Result<T> = std::result::Result<T, Failed>;

impl<E: Into<OrderError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<Failed> for async_graphql::Error {
    fn from(Failed(error): Failed) -> Self {
        let Some((code, status)) = error.code() else {
            return Self::new_with_source(error);
        };
        Self::new(error.to_string()).extend_with(|_, values| {
            values.set("code", code);
            values.set("status", status);
            set_values(&error, values);
        })
    }
}

fn set_values(error: &OrderError, values: &mut ErrorExtensionValues) {
    let amount = |amount: &Decimal| amount.to_string();
    match error {
        OrderError::Conflict { expected, found } => {
            values.set("expected", *expected);
            values.set("found", *found);
        }
        OrderError::OutOfStock { available, .. } => values.set("available", *available),
        OrderError::TooMuch { due, .. } => values.set("due", amount(due)),
        _ => {}
    }
}
