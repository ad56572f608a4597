//! `Serialize` and `Deserialize` of a newtype or an enum, by its `Scalar`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Path;

pub(super) fn emit(krate: &Path, ident: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl #krate::__private::serde::Serialize for #ident {
            fn serialize<__S: #krate::__private::serde::Serializer>(
                &self,
                serializer: __S,
            ) -> #krate::__private::std::result::Result<__S::Ok, __S::Error> {
                <#ident as #krate::Scalar>::serialize_json(self, serializer)
            }
        }

        #[automatically_derived]
        impl<'__de> #krate::__private::serde::Deserialize<'__de> for #ident {
            fn deserialize<__D: #krate::__private::serde::Deserializer<'__de>>(
                deserializer: __D,
            ) -> #krate::__private::std::result::Result<Self, __D::Error> {
                <#ident as #krate::Scalar>::deserialize_json(deserializer)
            }
        }
    }
}
