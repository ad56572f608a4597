//! Spans of emitted tokens, so that errors of the compiler underline the user's code.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};

/// The spans of the first and the last token.
///
/// An error about several tokens underlines from the first to the last. `Spanned::span` is not
/// enough for that: on a stable compiler it is the span of the first token only.
pub(super) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let start = tokens.next();
    let end = tokens.last().or_else(|| start.clone());
    let span = |token: Option<TokenTree>| token.map_or_else(Span::call_site, |token| token.span());
    (span(start), span(end))
}

/// The identifier with another span.
pub(super) fn respanned(ident: &Ident, span: Span) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(span);
    ident
}

/// `<ty as bound>::item`. Errors in it underline from `start` to `end`, which are the ends of the
/// user's type.
pub(super) fn projection(
    ty: &impl ToTokens,
    bound: &TokenStream,
    item: &TokenStream,
    (start, end): (Span, Span),
) -> TokenStream {
    let open = quote_spanned!(start=> <);
    let close = quote_spanned!(end=> as #bound>::#item);
    quote!(#open #ty #close)
}

/// `const _: () = function(arguments);`. A panic in it is reported from the span of `function` to
/// `end`.
pub(super) fn const_call(
    function: &TokenStream,
    arguments: &TokenStream,
    end: Span,
) -> TokenStream {
    let arguments = quote_spanned!(end=> (#arguments));
    quote!(const _: () = #function #arguments;)
}
