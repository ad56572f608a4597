//! From the model to code: one constant table, thin wrappers, and proofs that cost nothing.

mod proofs;
mod schema;
mod serde;
mod sync;

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Model;

/// Everything that a derive emits.
pub(crate) fn emit(model: &Model) -> TokenStream {
    let schema = schema::emit(model);
    let serde = model.serde.then(|| serde::emit(model));
    let proofs = proofs::emit(model);
    let sync = model.view.as_ref().map(|view| {
        (
            sync::implementation(model, view),
            sync::functions(model, view),
        )
    });
    let (implementation, functions) = sync.unzip();
    quote! {
        const _: () = {
            #schema
            #implementation
            #serde
            #proofs
        };
        #functions
    }
}
