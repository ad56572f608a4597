//! Proofs about the columns that relations and aggregates name, each at the text that names them.
//!
//! A table may have columns without a field, so an unknown name is not an error. The runtime
//! refuses a name that is a field's but not its column's, and types that cannot be compared.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::emit::names::part_name;
use crate::emit::spans::{const_call, respanned};
use crate::model::{ColumnsRef, Field, Link, Model, Source};

pub(super) fn proofs(model: &Model) -> TokenStream {
    model
        .document_fields()
        .enumerate()
        .map(|(index, field)| of_field(model, index, field))
        .collect()
}

fn of_field(model: &Model, index: usize, field: &Field) -> TokenStream {
    let this = &model.ident;
    let part = &part_name(field);
    let mut proofs = TokenStream::new();
    match &field.source {
        Source::One { fk, key } => {
            proofs.extend(prove("one_fk", &[this, part], &quote!(#index), fk.span));
            proofs.extend(key_of("one_key", part, key.as_ref()));
        }
        Source::Many(many) | Source::First(many) => {
            match &many.link {
                Link::ForeignKey(fk) => {
                    proofs.extend(prove("many_fk", &[this, part], &quote!(#index), fk.span));
                }
                // The join table has no struct, so nothing is known about `fk` and `to`.
                Link::Through { key, span, .. } => {
                    proofs.extend(prove("many_through", &[this, part], &quote!(#index), *span));
                    proofs.extend(key_of("one_key", part, key.as_ref()));
                }
            }
            proofs.extend(key_of("many_key", this, many.key.as_ref()));
            if let Some(span) = many.order_by_span {
                proofs.extend(prove("many_order", &[this, part], &quote!(#index), span));
            }
        }
        Source::Values(values) => {
            proofs.extend(key_of("values_key", this, values.key.as_ref()));
        }
        Source::Aggregate(aggregate) => {
            proofs.extend(key_of("aggregate_key", this, aggregate.key.as_ref()));
        }
        Source::Column(_)
        | Source::Expr(_)
        | Source::GlobalId
        | Source::Through(_)
        | Source::OfGroup(_) => {}
    }
    proofs
}

/// That `key` can be columns of the struct.
fn key_of(proof: &str, shape: &Ident, key: Option<&ColumnsRef>) -> Option<TokenStream> {
    key.map(|key| {
        let names = &key.names;
        prove(proof, &[shape], &quote!(&[#(#names),*]), key.span)
    })
}

/// The proof of this name about these structs.
fn prove(proof: &str, shapes: &[&Ident], argument: &TokenStream, span: Span) -> TokenStream {
    let proof = Ident::new(proof, span);
    let shapes = shapes.iter().map(|shape| respanned(shape, span));
    let proof = quote_spanned!(span=> __private::columns::#proof::<#(#shapes),*>);
    const_call(&proof, argument, span)
}
