//! The output of `TScalar`: implementations that delegate to the type of the field.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::scalar_serde;
use super::spans::{const_call, ends};
use crate::model::Newtype;

/// Everything that `TScalar` emits for a struct.
pub(crate) fn emit(newtype: &Newtype) -> TokenStream {
    let Newtype {
        ident,
        krate,
        member,
        ty,
        type_name,
        serde,
    } = newtype;
    // An alias of one token, so that an error in the type is reported once.
    let inner = Ident::new("__Inner", ty.span());
    let scalar = quote_spanned!(ty.span()=> <#inner as #krate::Scalar>);
    let (start, end) = ends(ty);
    let proof = const_call(
        &quote_spanned!(start=> __private::proof::scalar),
        &quote!(<#inner as #krate::Scalar>::FLAW),
        end,
    );
    let constant = match type_name {
        Some(name) => quote!(#krate::scalar::ScalarType { graphql: #name, ..#scalar::TYPE }),
        None => quote!(#scalar::TYPE),
    };
    let serde = serde.then(|| scalar_serde::emit(krate, ident));
    quote! {
        const _: () = {
            use #krate::__private;
            #[allow(dead_code)]
            type #inner = #ty;

            #[automatically_derived]
            impl #krate::Scalar for #ident {
                const TYPE: #krate::scalar::ScalarType = #constant;
                fn serialize_json<__S: #krate::__private::serde::Serializer>(
                    &self,
                    serializer: __S,
                ) -> #krate::__private::std::result::Result<__S::Ok, __S::Error> {
                    #scalar::serialize_json(&self.#member, serializer)
                }
                fn deserialize_json<'__de, __D: #krate::__private::serde::Deserializer<'__de>>(
                    deserializer: __D,
                ) -> #krate::__private::std::result::Result<Self, __D::Error> {
                    #krate::__private::std::result::Result::map(
                        #scalar::deserialize_json(deserializer),
                        |inner| #ident { #member: inner },
                    )
                }
            }

            // A condition without parameters that does not hold is an error, but one with `for` only
            // disables the implementation: a newtype of a type that is not a `Key` is not a key.
            #[automatically_derived]
            impl #krate::Key for #ident
            where
                for<'__k> #inner: #krate::Key,
            {
                fn collect<'__k>(
                    keys: impl #krate::__private::std::iter::Iterator<Item = &'__k Self>,
                ) -> #krate::Keys {
                    <#inner as #krate::Key>::collect(
                        #krate::__private::std::iter::Iterator::map(keys, |key| &key.#member),
                    )
                }
                fn each(
                    keys: &#krate::Keys,
                    take: &mut dyn #krate::__private::std::ops::FnMut(Self),
                ) {
                    <#inner as #krate::Key>::each(
                        keys,
                        &mut |inner| take(#ident { #member: inner }),
                    );
                }
            }

            #[automatically_derived]
            impl #krate::scalar::Comparable for #ident
            where
                for<'__c> #inner: #krate::scalar::Comparable,
            {
                type Value = Self;
            }
            #[automatically_derived]
            impl #krate::scalar::SingleValue for #ident
            where
                for<'__c> #inner: #krate::scalar::SingleValue {}
            #[automatically_derived]
            impl #krate::scalar::Ordered for #ident
            where
                for<'__c> #inner: #krate::scalar::Ordered {}
            #[automatically_derived]
            impl #krate::scalar::Matchable for #ident
            where
                for<'__c> #inner: #krate::scalar::Matchable {}

            #serde
            #proof
        };
    }
}
