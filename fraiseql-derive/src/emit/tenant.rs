//! Functions of a view with a tenant that do not compile if they are called: `Post::find` and its like,
//! which would read the documents of all tenants.
//!
//! They hide the functions of `TView`, which are for any view. A bound that is never met would be an
//! error where it is written, even if nothing calls the function. It is not checked there with
//! `for<'a>`, only at a call, which the compiler then reports with the text of `WithoutTenant`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::spanned::Spanned;

use super::tokens::key_type;
use crate::model::Model;

pub(super) fn emit(model: &Model) -> TokenStream {
    let Model {
        krate,
        ident,
        visibility,
        ..
    } = model;
    // `check` refuses a view without a key.
    let key_fields = model.key();
    let Some(first) = key_fields.first() else {
        return TokenStream::new();
    };
    let types: Vec<_> = key_fields.iter().map(|field| &field.ty).collect();
    let key = key_type(&types, first.ty.span());
    let refused = quote!(for<'__tenant> Self: #krate::view::WithoutTenant);
    let option = quote!(#krate::__private::std::option::Option);
    let json = quote!(#krate::__private::RawJson);
    let list = quote!(#krate::__private::std::vec::Vec<Self>);
    // Not `impl Future`: its bounds would be a second error, at `.await`.
    let reads = [
        ("find", quote!(_: #key), quote!(#option<Self>)),
        ("find_json", quote!(_: #key), quote!(#option<#json>)),
        ("find_many", quote!(_: &[#key]), list),
    ];
    let reads = reads.map(|(name, keys, output)| {
        let name = format_ident!("{name}");
        quote! {
            #visibility fn #name(
                _: impl #krate::ReadTarget,
                #keys,
            ) -> #krate::__private::std::future::Pending<#krate::Result<#output>>
            where
                #refused,
            {
                #krate::__private::std::future::pending()
            }
        }
    });
    quote! {
        #[doc(hidden)]
        #[allow(dead_code)]
        impl #ident {
            #(#reads)*

            #visibility fn list() -> #krate::list::List<Self>
            where
                #refused,
            {
                #krate::list::List::of::<Self>()
            }
        }
    }
}
