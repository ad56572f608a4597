//! Checks `global_id`: the name of the type and the key, as one text.

use darling::error::Accumulator;
use syn::spanned::Spanned as _;
use syn::{Ident, Type};

use super::error::error_at;
use super::source::sources;
use crate::attr::{FieldAttr, FieldFlag};
use crate::model::{DeriveKind, Field, Source};
use crate::type_syntax::is_named;

/// Checks that a field can be the id of a document. Its type is checked by the compiler.
pub(super) fn check(
    ident: &Ident,
    ty: &Type,
    attr: &FieldAttr,
    kind: DeriveKind,
    errors: &mut Accumulator,
) {
    let Some(FieldFlag(span)) = attr.global_id else {
        // There would be a column of such texts.
        if is_named(ty, &["GlobalId"]) && sources(attr).is_empty() && attr.skip.is_none() {
            let message = format!(
                "`{ident}` would be read from a column; it is made of the key with \
                 `#[tview(global_id)]`"
            );
            errors.push(error_at(ty.span(), message));
        }
        return;
    };
    if kind == DeriveKind::Part {
        errors.push(error_at(
            span,
            "`global_id` is what a root field finds a document by, and a part is in the documents of a \
             view: mark a field of the view",
        ));
    }
    let promotions = [
        ("filter", attr.filter),
        ("sort", attr.sort),
        ("unique", attr.unique),
    ];
    for (name, flag) in promotions {
        if let Some(FieldFlag(span)) = flag {
            errors.push(error_at(
                span,
                format!(
                    "`{name}` cannot be combined with `global_id`, which has the index of the key: \
                     remove `{name}`"
                ),
            ));
        }
    }
}

/// Checks that there is one id.
pub(super) fn check_one(fields: &[Field], errors: &mut Accumulator) {
    let ids = fields
        .iter()
        .filter(|field| matches!(field.source, Source::GlobalId));
    for field in ids.skip(1) {
        errors.push(error_at(
            field.ident.span(),
            "a view has one `global_id`: remove one of them",
        ));
    }
}
