//! What only the compiler can know, asserted in constants: each points at the field's type.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::emit::schema;
use crate::model::{Model, Source};

pub(crate) fn emit(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let ident = &model.ident;
    let span = ident.span();
    let mut proofs = quote_spanned!(span=>
        const _: () = #krate::__private::check_cycle::<#ident>();
    );
    for field in &model.fields {
        let ty = &field.ty;
        if field.is_key {
            proofs.extend(quote_spanned!(ty.span()=>
                const _: () = #krate::__private::proof::key(<#ty as #krate::Scalar>::TYPE);
            ));
        }
        if let Source::Aggregate(aggregate) = &field.source {
            let function = schema::function(model, aggregate.function);
            proofs.extend(quote_spanned!(ty.span()=>
                const _: () = #krate::__private::proof::aggregate(
                    #function,
                    <#ty as #krate::Scalar>::TYPE,
                );
            ));
        }
        if field.promoted.is_some() {
            proofs.extend(quote_spanned!(ty.span()=>
                const _: () = #krate::__private::proof::promoted(<#ty as #krate::Scalar>::TYPE);
            ));
        }
    }
    quote!(#proofs)
}
