//! The output of `TEnum`: a constant table of the variants, and conversions between a variant and
//! its index in the table.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use super::scalar_serde;
use crate::model::{Enumeration, Variant};

/// Everything that `TEnum` emits for an enum.
pub(crate) fn emit(enumeration: &Enumeration) -> TokenStream {
    let Enumeration {
        ident,
        krate,
        type_name,
        serde,
        variants,
    } = enumeration;
    let name = ident.unraw().to_string();
    let table = variants.iter().map(|variant| {
        let Variant {
            ident,
            json,
            labels,
        } = variant;
        let name = ident.unraw().to_string();
        quote!(#krate::scalar::Variant { name: #name, json: #json, labels: &[#(#labels),*] })
    });
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let indexes: Vec<usize> = (0..variants.len()).collect();
    let serde = serde.then(|| scalar_serde::emit(krate, ident));
    quote! {
        const _: () = {
            #[automatically_derived]
            impl #krate::TEnum for #ident {
                const ENUM: &'static #krate::scalar::Enum = &#krate::scalar::Enum {
                    name: #name,
                    path: #krate::__private::std::any::type_name::<Self>,
                    type_name: #type_name,
                    variants: &[#(#table),*],
                };
                fn index(&self) -> usize {
                    match self { #(#ident::#idents => #indexes),* }
                }
                fn at(index: usize) -> #krate::__private::std::option::Option<Self> {
                    match index {
                        #(#indexes => #krate::__private::std::option::Option::Some(#ident::#idents),)*
                        _ => #krate::__private::std::option::Option::None,
                    }
                }
            }

            #[automatically_derived]
            impl #krate::Scalar for #ident {
                const TYPE: #krate::scalar::ScalarType =
                    #krate::scalar::ScalarType::of_enum(<#ident as #krate::TEnum>::ENUM);
                fn serialize_json<__S: #krate::__private::serde::Serializer>(
                    &self,
                    serializer: __S,
                ) -> #krate::__private::std::result::Result<__S::Ok, __S::Error> {
                    serializer.serialize_str(#krate::TEnum::as_str(self))
                }
                fn deserialize_json<'__de, __D: #krate::__private::serde::Deserializer<'__de>>(
                    deserializer: __D,
                ) -> #krate::__private::std::result::Result<Self, __D::Error> {
                    #krate::__private::read_enum(deserializer)
                }
            }

            #[automatically_derived]
            impl #krate::scalar::Comparable for #ident {
                type Value = Self;
            }
            #[automatically_derived]
            impl #krate::scalar::SingleValue for #ident {}

            #serde
        };
    }
}
