//! What only the compiler can know, asserted in constants: each points at the field's type.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};

use crate::emit::{columns, schema, shape_of, storage};
use crate::model::{Field, Model, Source};

pub(crate) fn emit(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let ident = &model.ident;
    let fields = model.fields.iter().map(|field| of_field(model, field));
    let columns = columns::emit(model);
    let shape_of = model
        .shape_of
        .as_ref()
        .map(|shape_of| shape_of::proofs(model, shape_of));
    let cycle = call(
        &quote_spanned!(ident.span()=> __private::check_cycle::<#ident>),
        &TokenStream::new(),
        ident.span(),
    );
    let storage = storage::proofs(model);
    quote! {
        // A short name, so that a call has no token that stands elsewhere.
        use #krate::__private;
        #cycle
        #(#fields)*
        #(#storage)*
        #columns
        #shape_of
    }
}

fn of_field(model: &Model, field: &Field) -> TokenStream {
    let (start, end) = ends(&field.ty);
    let mut proofs = TokenStream::new();
    if field.is_key {
        // The key of a view has a type that is a key.
        if model.view.is_none() {
            let proof = quote_spanned!(start=> __private::proof::key);
            proofs.extend(call(&proof, &scalar(model, field, "TYPE"), end));
        }
    } else if !field.skipped && schema::holder(field).is_none() {
        let proof = quote_spanned!(start=> __private::proof::scalar);
        proofs.extend(call(&proof, &scalar(model, field, "FLAW"), end));
    }
    if let Source::Aggregate(aggregate) = &field.source {
        let function = schema::function(model, aggregate.function);
        let proof = quote_spanned!(start=> __private::proof::aggregate);
        let ty = scalar(model, field, "TYPE");
        proofs.extend(call(&proof, &quote!(#function, #ty), end));
    }
    if field.promoted.is_some() {
        let proof = quote_spanned!(start=> __private::proof::promoted);
        proofs.extend(call(&proof, &scalar(model, field, "TYPE"), end));
    }
    proofs
}

/// What the field's type is as a scalar: the one place where it is asked to be one. With the
/// type as it is written, so that an error underlines the whole of it.
fn scalar(model: &Model, field: &Field, item: &str) -> TokenStream {
    let krate = &model.krate;
    let ty = &field.ty;
    let (start, end) = ends(ty);
    let item = Ident::new(item, end);
    let open = quote_spanned!(start=> <);
    let close = quote_spanned!(end=> as #krate::Scalar>::#item);
    quote!(#open #ty #close)
}

/// A constant that is a call. An error in it points from the function's place to `end`.
pub(super) fn call(function: &TokenStream, arguments: &TokenStream, end: Span) -> TokenStream {
    let arguments = quote_spanned!(end=> (#arguments));
    quote!(const _: () = #function #arguments;)
}

/// A name, with another place.
pub(super) fn at(ident: &Ident, span: Span) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(span);
    ident
}

/// The places of the first and the last token.
pub(super) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let start = tokens.next();
    let end = tokens.last().or_else(|| start.clone());
    let span = |token: Option<TokenTree>| token.map_or_else(Span::call_site, |token| token.span());
    (span(start), span(end))
}
