//! Proofs: statements about the user's types that only the compiler can decide, as constants.
//!
//! A macro sees names, the compiler sees types. Each proof is a constant whose value is a call of
//! a `const fn` of the runtime, which panics if the statement is wrong. The compiler then
//! reports the text of the panic, at the span of the call. A proof is evaluated once and leaves
//! nothing in the program.

mod column;
mod field;
mod index;
mod shape_of;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::spans::const_call;
use crate::model::Model;

/// The proofs about the types of fields.
pub(super) fn types(model: &Model) -> TokenStream {
    let fields = model.fields.iter();
    fields.map(|field| field::proofs(model, field)).collect()
}

/// All proofs about a struct.
pub(super) fn emit(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let ident = &model.ident;
    let fields = model.fields.iter().map(|one| field::proofs(model, one));
    let columns = column::proofs(model);
    let shape_of = model
        .shape_of
        .as_ref()
        .map(|shape_of| shape_of::proofs(model, shape_of));
    let cycle = const_call(
        &quote_spanned!(ident.span()=> __private::check_cycle::<#ident>),
        &TokenStream::new(),
        ident.span(),
    );
    let indexes = index::proofs(model);
    quote! {
        // The tokens of `#krate` have a span of their own, which would be part of the underlined
        // text. With this name, all tokens of a call have the span of the user's code.
        use #krate::__private;
        #cycle
        #(#fields)*
        #(#indexes)*
        #columns
        #shape_of
    }
}
