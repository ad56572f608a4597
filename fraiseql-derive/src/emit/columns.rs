//! Proofs about the columns that attributes name: each points at the text that names them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::emit::proofs::{at, call};
use crate::emit::schema::part_name;
use crate::model::{Column, Field, Link, Model, Source};

pub(super) fn emit(model: &Model) -> TokenStream {
    model
        .document()
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
            proofs.extend(of_key("one_key", part, key.as_ref()));
        }
        Source::Many(many) => {
            match &many.link {
                Link::ForeignKey(fk) => {
                    proofs.extend(prove("many_fk", &[this, part], &quote!(#index), fk.span));
                }
                Link::Through { key, .. } => {
                    proofs.extend(of_key("one_key", part, key.as_ref()));
                }
            }
            proofs.extend(of_key("many_key", this, many.key.as_ref()));
            if let Some(span) = many.order_by_span {
                proofs.extend(prove("many_order", &[this, part], &quote!(#index), span));
            }
        }
        Source::Aggregate(aggregate) => {
            proofs.extend(of_key("aggregate_key", this, aggregate.key.as_ref()));
        }
        Source::Column(_) | Source::Expr(_) => {}
    }
    proofs
}

/// That a key is a column of a shape.
fn of_key(proof: &str, shape: &Ident, key: Option<&Column>) -> Option<TokenStream> {
    key.map(|key| prove(proof, &[shape], &quote!(#key), key.span))
}

fn prove(proof: &str, shapes: &[&Ident], argument: &TokenStream, span: Span) -> TokenStream {
    let proof = Ident::new(proof, span);
    let shapes = shapes.iter().map(|shape| at(shape, span));
    let proof = quote_spanned!(span=> __private::columns::#proof::<#(#shapes),*>);
    call(&proof, argument, span)
}
