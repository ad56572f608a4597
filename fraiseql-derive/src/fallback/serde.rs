//! Stubs of `Serialize` and `Deserialize`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

pub(super) fn stubs(input: &DeriveInput, krate: &Path) -> TokenStream {
    let ident = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    let mut with_de = input.generics.clone();
    with_de.params.insert(0, syn::parse_quote!('de));
    let (with_de, ..) = with_de.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics #krate::__private::serde::Serialize for #ident #arguments #bounds {
            fn serialize<__S: #krate::__private::serde::Serializer>(
                &self,
                _: __S,
            ) -> #krate::__private::std::result::Result<__S::Ok, __S::Error> {
                #krate::__private::std::unreachable!()
            }
        }
        #[automatically_derived]
        impl #with_de #krate::__private::serde::Deserialize<'de> for #ident #arguments #bounds {
            fn deserialize<__D: #krate::__private::serde::Deserializer<'de>>(
                _: __D,
            ) -> #krate::__private::std::result::Result<Self, __D::Error> {
                #krate::__private::std::unreachable!()
            }
        }
    }
}
