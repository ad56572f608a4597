//! What `shape_of` on a part means.

use darling::error::Accumulator;
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{DeriveInput, Ident};

use super::error::at;
use crate::attr::{Struct, Text};
use crate::model::ShapeOf;

/// The struct that it names: another one. Through an alias it may still be the same, or lead
/// back to it: that is for the compiler to find.
pub(super) fn check(
    Struct(path): Struct,
    input: &DeriveInput,
    table: Option<&Text>,
    keys: &[(Ident, Span)],
    errors: &mut Accumulator,
) -> Option<ShapeOf> {
    if path.is_ident("Self") || path.is_ident(&input.ident) {
        let name = &input.ident;
        errors.push(at(
            path.span(),
            format!("`shape_of` names another struct: `{name}` cannot be a shape of itself"),
        ));
        return None;
    }
    Some(ShapeOf {
        path,
        table: table.map(Text::span),
        key: keys.first().map(|(_, span)| *span),
    })
}
