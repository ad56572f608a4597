//! Code generation: one constant table, thin wrappers around functions of the runtime, and proofs.
//!
//! # Little code
//!
//! Everything that can be a value is in the constant table, and everything that can be a function
//! of the runtime is called there. What is emitted for each struct is compiled for each struct.
//!
//! # Hygiene
//!
//! Emitted names are resolved at the call site, as those of the user: the user's types must be
//! visible to the code. So nothing is assumed about what else is in scope there:
//!
//! - Every path begins with `#krate`, also those of the standard library
//!   (`#krate::__private::std`), and macros are called by path. A user may have a `std` or an
//!   `Option` of their own, and with `#![no_implicit_prelude]` there is no prelude.
//! - Helper items are inside a `const _: () = { .. }`. Implementations in it apply everywhere, but
//!   its names are visible only inside, so that two structs can both have a `__Document`. Helper
//!   names begin with `__`, so that they do not hide a name in the user's types.
//! - Only the functions of a view are outside, because users call them.
//!
//! `Span::mixed_site` differs from the call site only for local variables. It is not needed,
//! because no emitted body contains an expression of the user, which a variable could capture.
//!
//! # Spans
//!
//! The compiler reports an error at the tokens that cause it. By default these have the span of
//! the derive, and the error underlines the word `TView`. Tokens that can cause an error (a path
//! to a trait implementation of the user's type, the call of a proof) have the span of the
//! field's type, or of the string in the attribute. If there are several, the error underlines
//! from the first to the last, so both ends need a span of the user: see [`spans`].
//!
//! A user's span is used as it is, not `Span::call_site().located_at(span)`. A span also decides how
//! local variables are resolved, but only paths to items are emitted with spans of the user.
//!
//! A type that lacks an implementation is an error wherever it is used. The compiler reports
//! errors once if their text and span are equal, so all uses have an alias of the type, which is
//! one token with one span: see [`names::alias`].

pub(crate) mod columns;
mod document_serde;
pub(crate) mod enumeration;
mod field;
mod functions;
mod names;
pub(crate) mod newtype;
mod part;
mod proofs;
mod scalar_serde;
mod schema;
mod shape_of;
mod spans;
mod storage;
mod tenant;
mod tokens;
pub(crate) mod union;
mod view;

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Model;

/// The proofs about the types of fields, for a struct with mistakes in other fields or in attributes:
/// all mistakes are then reported at once.
pub(crate) fn type_proofs(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let aliases = aliases(model);
    let parts = model.fields.iter().filter_map(|field| {
        let (_, part) = part::emit(model, field)?;
        Some(part)
    });
    let proofs = proofs::types(model);
    quote! {
        const _: () = {
            #[allow(unused_imports)]
            use #krate::__private::relation::{NoRelation as _, NoScalar as _};
            #(#aliases)*
            #(#parts)*
            #[allow(unused_imports)]
            use #krate::__private;
            #proofs
        };
    }
}

fn aliases(model: &Model) -> impl Iterator<Item = TokenStream> {
    model.fields.iter().map(|field| {
        let (alias, ty) = (names::alias(field), &field.ty);
        quote!(#[allow(dead_code, non_camel_case_types)] type #alias = #ty;)
    })
}

/// Everything that `TView` or `Embed` emits for a struct.
pub(crate) fn emit(model: &Model) -> TokenStream {
    let aliases = aliases(model);
    let krate = &model.krate;
    let schema = schema::emit(model);
    let serde = model.serde.then(|| document_serde::emit(model));
    let proofs = proofs::emit(model);
    let view = model.view.as_ref();
    let implementation = view.map(|view| view::emit(model, view));
    let functions = view.map(|view| functions::emit(model, view));
    let columns = view.map(|_| columns::emit(model));
    let refused = view.and(model.tenant()).map(|_| tenant::emit(model));
    quote! {
        const _: () = {
            // Traits with the same constants as the types in `relation`, with harmless values. A
            // path such as `Value::<T>::TYPE` finds them if `T` is not what it must be, and only
            // the proof about `T` fails.
            #[allow(unused_imports)]
            use #krate::__private::relation::{NoRelation as _, NoScalar as _};
            #(#aliases)*
            #schema
            #implementation
            #columns
            #refused
            #serde
            #proofs
        };
        #functions
    }
}
