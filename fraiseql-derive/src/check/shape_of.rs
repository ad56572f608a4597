//! Checks `shape_of` on a part.

use darling::error::Accumulator;
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{DeriveInput, Ident};

use super::error::error_at;
use crate::attr::{StrValue, StructPath};
use crate::model::ShapeOf;

/// Checks that `shape_of` names another struct. An alias can still be the struct itself, or lead
/// back to it: the compiler finds that, by a proof.
pub(super) fn check(
    StructPath(path): StructPath,
    input: &DeriveInput,
    table: Option<&StrValue>,
    keys: &[(Ident, Span)],
    errors: &mut Accumulator,
) -> Option<ShapeOf> {
    if path.is_ident("Self") || path.is_ident(&input.ident) {
        let name = &input.ident;
        errors.push(error_at(
            path.span(),
            format!("`shape_of` must name another struct, not `{name}` itself"),
        ));
        return None;
    }
    Some(ShapeOf {
        path,
        table: table.map(StrValue::span),
        key: keys.first().map(|(_, span)| *span),
    })
}
