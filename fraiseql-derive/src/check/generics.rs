//! Generic parameters, which no derive supports.

use darling::Error;
use darling::error::Accumulator;
use syn::{DeriveInput, GenericParam};

use crate::model::DeriveKind;

/// Reports generic parameters with `message`, and whether there are any.
pub(super) fn refuse(input: &DeriveInput, message: &'static str, errors: &mut Accumulator) -> bool {
    let generic = !input.generics.params.is_empty();
    if generic {
        errors.push(Error::custom(message).with_span(&input.generics.params));
    }
    generic
}

/// Reports generic parameters of a view or a part.
pub(super) fn refuse_on_struct(input: &DeriveInput, kind: DeriveKind, errors: &mut Accumulator) {
    if input.generics.params.is_empty() {
        return;
    }
    let derive = derive_name(kind);
    let only_lifetimes = input
        .generics
        .params
        .iter()
        .all(|param| matches!(param, GenericParam::Lifetime(_)));
    // A generic struct would need statements for each of its types, and those are stored in a
    // `static`, of which a generic function has only one.
    let reason = if only_lifetimes {
        "structs with lifetimes, because a document is read into fields that own their values: \
         write `String` instead of `&str`"
    } else {
        "generic structs, because each struct has one table and one kind of document: write the \
         type instead of the parameter"
    };
    errors.push(
        Error::custom(format!("{derive} does not support {reason}"))
            .with_span(&input.generics.params),
    );
}

/// The derive, as it is written.
pub(super) fn derive_name(kind: DeriveKind) -> &'static str {
    match kind {
        DeriveKind::View => "#[derive(TView)]",
        DeriveKind::Part => "#[derive(Embed)]",
    }
}
