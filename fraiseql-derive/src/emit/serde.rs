//! `Serialize` and `Deserialize`, by serde's own derive on a remote twin of the struct.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::model::{Field, Model, Source};

pub(crate) fn emit(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let ident = &model.ident;
    let remote = ident.to_string();
    let serde_path = path(krate, "serde");
    let scalar_path = path(krate, "scalar");
    let fields = model.fields.iter().map(|field| {
        let Field {
            ident, ty, json, ..
        } = field;
        let attribute = if field.skipped {
            quote!(#[serde(skip)])
        } else if matches!(field.source, Source::One { .. } | Source::Many(_)) {
            quote!(#[serde(rename = #json)])
        } else {
            quote!(#[serde(rename = #json, with = #scalar_path)])
        };
        quote!(#attribute #ident: #ty)
    });
    quote! {
        #[derive(#krate::__private::serde::Serialize, #krate::__private::serde::Deserialize)]
        #[serde(crate = #serde_path, remote = #remote)]
        struct __Document { #(#fields),* }

        #[automatically_derived]
        impl #krate::__private::serde::Serialize for #ident {
            fn serialize<S: #krate::__private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> #krate::__private::std::result::Result<S::Ok, S::Error> {
                __Document::serialize(self, serializer)
            }
        }

        #[automatically_derived]
        impl<'de> #krate::__private::serde::Deserialize<'de> for #ident {
            fn deserialize<D: #krate::__private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> #krate::__private::std::result::Result<Self, D::Error> {
                __Document::deserialize(deserializer)
            }
        }
    }
}

/// A path as serde takes it: in a string.
fn path(krate: &syn::Path, name: &str) -> String {
    format!("{}::__private::{name}", krate.to_token_stream()).replace(' ', "")
}
