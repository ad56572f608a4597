//! Names of helper items that several parts of the emitted code mention.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::spanned::Spanned;

use crate::model::{Field, Source};

/// An alias of a field's type, with the span of the type.
///
/// The type is mentioned in several places, and an error in it would be reported for each. Here
/// each mention is the same token at the same span, so all errors are equal and the compiler
/// reports one.
pub(super) fn alias(field: &Field) -> Ident {
    format_ident!("__Field_{}", field.name, span = field.ty.span())
}

/// The type that stands for the part in a field: see `part`.
pub(super) fn part_name(field: &Field) -> Ident {
    format_ident!("__Part_{}", field.name, span = field.ty.span())
}

/// The type that stands for the struct in `shape_of`: see `shape_of`.
pub(super) fn whole_name(span: Span) -> Ident {
    format_ident!("__Whole", span = span)
}

/// The trait of types that can hold the part or parts of a relation: `T`, `Option<T>`, `Vec<T>`,
/// and these in pointers.
pub(super) fn holder_trait(field: &Field) -> Option<Ident> {
    match field.source {
        Source::One { .. } => Some(format_ident!("OneField")),
        Source::Many(_) => Some(format_ident!("ManyField")),
        Source::First(_) => Some(format_ident!("FirstField")),
        _ => None,
    }
}
