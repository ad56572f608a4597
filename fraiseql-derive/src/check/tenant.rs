//! Checks `tenant`: the field that names the owner of a document.

use darling::error::Accumulator;
use proc_macro2::Span;
use syn::Ident;

use super::error::error_at;
use super::source::sources;
use crate::attr::{FieldAttr, FieldFlag};
use crate::model::{DeriveKind, Field};

/// Checks that a field can be the tenant. Its type is checked by the compiler: see `ViewDef::Tenant`.
pub(super) fn check(attr: &FieldAttr, kind: DeriveKind, errors: &mut Accumulator) {
    let Some(FieldFlag(span)) = attr.tenant else {
        return;
    };
    if kind == DeriveKind::Part {
        errors.push(error_at(
            span,
            "`tenant` is the owner of a document, and a part is in the documents of a view: mark a \
             field of the view",
        ));
    } else if let Some((source, _)) = sources(attr).first() {
        errors.push(error_at(
            span,
            format!(
                "`tenant` cannot be combined with `{source}`: the tenant must be a column of the \
                 view's base table"
            ),
        ));
    } else if attr.skip.is_some() {
        errors.push(error_at(
            span,
            "`tenant` cannot be combined with `skip`: the tenant is a column of the view table; \
             `hidden` leaves a field out of the document only",
        ));
    }
    if let Some(FieldFlag(span)) = attr.unique {
        errors.push(error_at(
            span,
            "`unique` is within the documents of a tenant, so that each tenant would have one \
             document: remove it, or mark the field `key` as well if that is what is meant",
        ));
    }
    if let Some(index) = attr.index {
        errors.push(error_at(
            index.0,
            "the tenant has an index, which lists in the order of the key are read by: remove \
             `index = false`",
        ));
    }
}

/// Checks that one field is the tenant. Of a field with another mistake only that is reported.
pub(super) fn check_one(marked: &[(Ident, Span)], fields: &[Field], errors: &mut Accumulator) {
    let is_valid = |ident: &Ident| fields.iter().any(|field| field.ident == *ident);
    let marked: Vec<_> = marked.iter().filter(|(ident, _)| is_valid(ident)).collect();
    for (ident, span) in marked.iter().skip(1) {
        let first = marked.first().map(|(first, _)| first.to_string());
        errors.push(error_at(
            *span,
            format!(
                "a view has one tenant, and `{}` is marked already: remove `tenant` from one of \
                 `{0}` and `{ident}`",
                first.unwrap_or_default()
            ),
        ));
    }
}
