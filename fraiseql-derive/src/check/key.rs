//! The field that identifies a row.

use darling::error::Accumulator;
use proc_macro2::Span;
use syn::{DeriveInput, Ident};

use super::error::error_at;
use crate::model::{DeriveKind, Field, Source};

/// Marks the field that is the key: the one with `key`, or else the column named `id`. A view
/// must have one.
pub(super) fn choose(
    fields: &mut [Field],
    marked: &[(Ident, Span)],
    complete: bool,
    input: &DeriveInput,
    kind: DeriveKind,
    errors: &mut Accumulator,
) {
    if let [_, (_, second), ..] = marked {
        errors.push(error_at(
            *second,
            "a struct has one key: mark only one field with `key`",
        ));
    }
    let key = fields.iter_mut().find(|field| match marked.first() {
        Some((marked, _)) => field.ident == *marked,
        None => field.name == "id" && matches!(field.source, Source::Column(_)),
    });
    match key {
        Some(field) => {
            field.is_key = true;
            // The key is a column of the view table, with an index, without being promoted.
            field.promoted = None;
            if kind == DeriveKind::View && field.skipped {
                errors.push(error_at(
                    field.ident.span(),
                    "the key of a view must be in its documents: remove `skip`",
                ));
            }
        }
        // With invalid fields, or an invalid field marked `key`, the key may be one of them.
        None if kind == DeriveKind::View && complete && marked.is_empty() => {
            errors.push(error_at(
                input.ident.span(),
                format!(
                    "`{}` has no key: name a field `id`, or mark the one that identifies a row \
                     with `#[tview(key)]`",
                    input.ident
                ),
            ));
        }
        None => {}
    }
}
