//! Helpers for errors: spans, checks that go on after an error, and lists of names.

use darling::error::Accumulator;
use darling::{Error, Result};
use proc_macro2::{Ident, Span};

use crate::attr::StrValue;
use crate::model::ColumnsRef;
use crate::text;

/// An error at a span.
pub(super) fn error_at(span: Span, message: impl std::fmt::Display) -> Error {
    // `with_span` takes a value that has a span, and a `Span` itself is not one.
    Error::custom(message).with_span(&Ident::new("span", span))
}

/// The result of `check`, or `None` if it reported errors. These are added to `errors`.
///
/// `check` goes on after an error, so its result alone does not tell whether there was one.
pub(super) fn if_valid<T>(
    errors: &mut Accumulator,
    check: impl FnOnce(&mut Accumulator) -> Result<T>,
) -> Option<T> {
    let mut own = Error::accumulator();
    let result = check(&mut own);
    let mut valid = true;
    if let Err(error) = own.finish() {
        errors.push(error);
        valid = false;
    }
    errors.handle(result).filter(|_| valid)
}

/// Parses the string of an attribute, if the attribute is there. An error is reported at the
/// string.
pub(super) fn parsed<T>(
    text: Option<&StrValue>,
    parse: fn(&str) -> std::result::Result<T, String>,
    errors: &mut Accumulator,
) -> Option<T> {
    let text = text?;
    match parse(&text.value()) {
        Ok(value) => Some(value),
        Err(message) => {
            errors.push(error_at(text.span(), message));
            None
        }
    }
}

/// The name of a column; empty if the attribute is missing or invalid.
pub(super) fn identifier(text: Option<&StrValue>, errors: &mut Accumulator) -> String {
    parsed(text, text::identifier, errors).unwrap_or_default()
}

/// The names of one or several columns, with their span.
pub(super) fn columns_ref(text: &StrValue, errors: &mut Accumulator) -> ColumnsRef {
    ColumnsRef {
        names: parsed(Some(text), text::columns, errors).unwrap_or_default(),
        span: text.span(),
    }
}

/// The same; no columns if the attribute is missing.
pub(super) fn columns_ref_or_none(text: Option<&StrValue>, errors: &mut Accumulator) -> ColumnsRef {
    text.map_or_else(ColumnsRef::none, |text| columns_ref(text, errors))
}

/// A condition or an expression in SQL.
pub(super) fn fragment(text: Option<&StrValue>, errors: &mut Accumulator) -> Option<String> {
    parsed(text, text::fragment, errors)
}

/// An expression over one row.
pub(super) fn row_expr(expr: &StrValue, example: &str, errors: &mut Accumulator) -> String {
    let sql = fragment(Some(expr), errors);
    // The statement joins other tables beside the row's, and a bare name is also resolved
    // in those: to the wrong column, or as ambiguous.
    if sql.as_ref().is_some_and(|sql| !sql.contains("{}")) {
        errors.push(error_at(
            expr.span(),
            format!(
                "write `{{}}` for the row, as in `expr = \"{example}\"`: a column without it could \
                 be read from another table"
            ),
        ));
    }
    sql.unwrap_or_default()
}

/// `` `a`, `b` and `c` ``.
pub(super) fn name_list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    }
}
