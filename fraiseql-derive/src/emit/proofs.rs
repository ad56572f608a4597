//! What only the compiler can know, asserted in constants: each points at the field's type.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};

use crate::emit::{alias, schema};
use crate::model::{Field, Model, Source};

pub(crate) fn emit(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let ident = &model.ident;
    let fields = model.fields.iter().map(|field| of_field(model, field));
    let cycle = call(
        &quote_spanned!(ident.span()=> __private::check_cycle::<#ident>),
        &TokenStream::new(),
        ident.span(),
    );
    quote! {
        // A short name, so that a call has no token that stands elsewhere.
        use #krate::__private;
        #cycle
        #(#fields)*
    }
}

fn of_field(model: &Model, field: &Field) -> TokenStream {
    let krate = &model.krate;
    let (start, end) = ends(&field.ty);
    let scalar = alias(field);
    let scalar = quote!(<#scalar as #krate::Scalar>);
    let ty = quote!(#scalar::TYPE);
    let mut proofs = TokenStream::new();
    if field.is_key {
        // The key of a view has a type that is a key.
        if model.view.is_none() {
            let proof = quote_spanned!(start=> __private::proof::key);
            proofs.extend(call(&proof, &ty, end));
        }
    } else if !field.skipped && schema::holder(field).is_none() {
        let proof = quote_spanned!(start=> __private::proof::scalar);
        proofs.extend(call(&proof, &quote!(#scalar::FLAW), end));
    }
    if let Source::Aggregate(aggregate) = &field.source {
        let function = schema::function(model, aggregate.function);
        let proof = quote_spanned!(start=> __private::proof::aggregate);
        proofs.extend(call(&proof, &quote!(#function, #ty), end));
    }
    if field.promoted.is_some() {
        let proof = quote_spanned!(start=> __private::proof::promoted);
        proofs.extend(call(&proof, &ty, end));
    }
    proofs
}

/// A constant that is a call. An error in it points from the function's place to `end`.
pub(super) fn call(function: &TokenStream, arguments: &TokenStream, end: Span) -> TokenStream {
    let arguments = quote_spanned!(end=> (#arguments));
    quote!(const _: () = #function #arguments;)
}

/// The places of the first and the last token.
pub(super) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let start = tokens.next();
    let end = tokens.last().or_else(|| start.clone());
    let span = |token: Option<TokenTree>| token.map_or_else(Span::call_site, |token| token.span());
    (span(start), span(end))
}
