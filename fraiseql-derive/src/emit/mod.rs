//! From the model to code: one constant table, thin wrappers, and proofs that cost nothing.

mod columns;
pub(crate) mod enumeration;
pub(crate) mod newtype;
mod proofs;
mod schema;
mod serde;
mod shape_of;
mod storage;
mod sync;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;

use crate::model::{Field, Model};

/// Everything that a derive emits.
pub(crate) fn emit(model: &Model) -> TokenStream {
    let aliases = model.fields.iter().map(|field| {
        let (alias, ty) = (alias(field), &field.ty);
        quote!(#[allow(dead_code, non_camel_case_types)] type #alias = #ty;)
    });
    let krate = &model.krate;
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
            // What stands in for the values of types that cannot be a field's.
            #[allow(unused_imports)]
            use #krate::__private::relation::{NoRelation as _, NoScalar as _};
            #(#aliases)*
            #schema
            #implementation
            #serde
            #proofs
        };
        #functions
    }
}

/// The type of a field by a name of one token, with the place of the type. What is wrong with
/// a type is then the same error wherever it is mentioned, and the compiler says it once.
fn alias(field: &Field) -> Ident {
    format_ident!("__Field_{}", field.name, span = field.ty.span())
}
