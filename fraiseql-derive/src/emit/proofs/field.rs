//! Proofs about the types of fields.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use crate::emit::names::holder_trait;
use crate::emit::spans::{const_call, ends, projection};
use crate::emit::tokens;
use crate::model::{Field, Model, Source};

/// That the type is a scalar, and one that fits the attributes.
pub(super) fn proofs(model: &Model, field: &Field) -> TokenStream {
    let (start, end) = ends(&field.ty);
    let mut proofs = TokenStream::new();
    if field.is_key {
        // The key of a view is bounded by `Key` in `ViewDef::DocumentKey`.
        if model.view.is_none() {
            let proof = quote_spanned!(start=> __private::proof::key);
            proofs.extend(const_call(&proof, &scalar(model, field, "TYPE"), end));
        }
    } else if !field.skipped && holder_trait(field).is_none() {
        let proof = quote_spanned!(start=> __private::proof::scalar);
        proofs.extend(const_call(&proof, &scalar(model, field, "FLAW"), end));
    }
    if let Source::Aggregate(aggregate) | Source::OfGroup(aggregate) = &field.source {
        let function = tokens::function(&model.krate, aggregate.function);
        let proof = quote_spanned!(start=> __private::proof::aggregate);
        let ty = scalar(model, field, "TYPE");
        proofs.extend(const_call(&proof, &quote!(#function, #ty), end));
    }
    if let Source::GlobalId = &field.source {
        let proof = quote_spanned!(start=> __private::proof::global_id);
        proofs.extend(const_call(&proof, &scalar(model, field, "TYPE"), end));
    }
    if let Source::Values(_) = &field.source {
        let proof = quote_spanned!(start=> __private::proof::values);
        proofs.extend(const_call(&proof, &scalar(model, field, "TYPE"), end));
    }
    if field.promoted.is_some() {
        let proof = quote_spanned!(start=> __private::proof::promoted);
        proofs.extend(const_call(&proof, &scalar(model, field, "TYPE"), end));
    }
    proofs
}

/// A constant of the type's `Scalar`. Here the implementation is required, elsewhere it is not:
/// see `tokens::scalar_type`. The type is written out, not its alias, so that an error underlines
/// the whole type.
fn scalar(model: &Model, field: &Field, item: &str) -> TokenStream {
    let krate = &model.krate;
    let ends = ends(&field.ty);
    let (_, end) = ends;
    let item = Ident::new(item, end);
    projection(
        &field.ty,
        &quote_spanned!(end=> #krate::Scalar),
        &quote!(#item),
        ends,
    )
}
