//! Errors with a place, and checks whose errors do not stop the others.

use darling::error::Accumulator;
use darling::{Error, Result};
use proc_macro2::{Ident, Span};

use crate::attr::Text;
use crate::model::Column;
use crate::text;

/// An error with a place.
pub(super) fn at(span: Span, message: impl std::fmt::Display) -> Error {
    // `with_span` takes something that has a span, and an identifier is one.
    Error::custom(message).with_span(&Ident::new("span", span))
}

/// What a part of the check makes, if it finds nothing wrong. What it finds is remembered, and
/// does not stop the others.
pub(super) fn unbroken<T>(
    errors: &mut Accumulator,
    part: impl FnOnce(&mut Accumulator) -> Result<T>,
) -> Option<T> {
    let mut own = Error::accumulator();
    let result = part(&mut own);
    let mut ok = true;
    if let Err(error) = own.finish() {
        errors.push(error);
        ok = false;
    }
    errors.handle(result).filter(|_| ok)
}

/// Checks a text where there is one; what is wrong with it is remembered at its place.
pub(super) fn checked<T>(
    text: Option<&Text>,
    check: fn(&str) -> std::result::Result<T, String>,
    errors: &mut Accumulator,
) -> Option<T> {
    let text = text?;
    match check(&text.value()) {
        Ok(value) => Some(value),
        Err(message) => {
            errors.push(at(text.span(), message));
            None
        }
    }
}

/// The name of a column; empty where there is none that can be one.
pub(super) fn identifier(text: Option<&Text>, errors: &mut Accumulator) -> String {
    checked(text, text::identifier, errors).unwrap_or_default()
}

/// The same, with its place.
pub(super) fn column(text: &Text, errors: &mut Accumulator) -> Column {
    Column {
        name: identifier(Some(text), errors),
        span: text.span(),
    }
}

/// A piece of SQL.
pub(super) fn fragment(text: Option<&Text>, errors: &mut Accumulator) -> Option<String> {
    checked(text, text::fragment, errors)
}
