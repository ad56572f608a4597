//! The fields that identify a row.

use darling::error::Accumulator;
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{DeriveInput, Ident, Type};

use super::error::error_at;
use crate::identifiers::MAX_KEY_COLUMNS;
use crate::model::{DeriveKind, Field, Source};
use crate::type_syntax::is_named;

/// Types that are no key, as they are usually written. Others are found by the compiler.
const NOT_KEYS: [&str; 6] = ["Option", "Vec", "bool", "f32", "f64", "DateTime"];

/// Whether a type is known not to be that of a column of a key.
pub(crate) fn is_no_key_column(ty: &Type) -> bool {
    is_named(ty, &NOT_KEYS)
}

/// Marks the fields of the key: those with `key`, or else the column named `id`. A view must have one.
pub(super) fn choose(
    fields: &mut [Field],
    marked: &[(Ident, Span)],
    complete: bool,
    input: &DeriveInput,
    kind: DeriveKind,
    errors: &mut Accumulator,
) {
    if let Some((_, too_many)) = marked.get(MAX_KEY_COLUMNS) {
        errors.push(error_at(
            *too_many,
            format!("a key has at most {MAX_KEY_COLUMNS} columns"),
        ));
    }
    let mut is_missing = true;
    for field in fields {
        let is_key = match marked {
            [] => field.name == "id" && matches!(field.source, Source::Column(_)),
            marked => marked.iter().any(|(marked, _)| field.ident == *marked),
        };
        if !is_key {
            continue;
        }
        is_missing = false;
        // Of several columns, the compiler would not say which it is.
        if marked.len() > 1 && is_no_key_column(&field.ty) {
            errors.push(error_at(
                field.ty.span(),
                "a column of a key is a value that is never null: an i16, i32, i64, String or Uuid, or \
                 a newtype of one with #[derive(TScalar)]",
            ));
            continue;
        }
        field.is_key = true;
        // It is a column of the view table, and of the index of the key, without being promoted.
        field.promoted = None;
        if kind == DeriveKind::View && field.skipped {
            errors.push(error_at(
                field.ident.span(),
                "the key of a view must be in its documents: remove `skip`",
            ));
        }
    }
    // With invalid fields, or an invalid field marked `key`, the key may be one of them.
    if is_missing && kind == DeriveKind::View && complete && marked.is_empty() {
        errors.push(error_at(
            input.ident.span(),
            format!(
                "`{}` has no key: name a field `id`, or mark the one that identifies a row with \
                 `#[tview(key)]`, or each of them",
                input.ident
            ),
        ));
    }
}
