//! `Serialize` and `Deserialize`, by serde's own derive on a remote twin of the struct.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{LitStr, Type};

use crate::emit::alias;
use crate::model::{Field, Model, Source};
use crate::spelling::{argument, is_one_of};

pub(crate) fn emit(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let ident = &model.ident;
    let remote = ident.to_string();
    let serde_path = path(krate, "__private::serde");
    let fields = model.fields.iter().map(|field| {
        let Field { ident, ty, .. } = field;
        let attribute = attribute(krate, field);
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

fn attribute(krate: &syn::Path, field: &Field) -> TokenStream {
    let json = &field.json;
    let ty = alias(field);
    // At the field's type, where its errors are.
    let text = |path: String| LitStr::new(&path, field.ty.span());
    // A document that was stored before the struct got this field can still be read.
    let default = argument(&field.ty, "Option").map(|_| quote!(, default));
    if field.skipped {
        let default = path(krate, "__private::std::default::Default");
        let default = text(format!("<{ty} as {default}>::default"));
        quote!(#[serde(skip, default = #default)])
    } else if let Some(way) = way(field) {
        let way = path(krate, "__private::relation::") + way;
        let with = text(format!("{way}::<{ty}>"));
        quote!(#[serde(rename = #json, with = #with #default)])
    } else if has_serde_form(&field.ty) {
        quote!(#[serde(rename = #json #default)])
    } else {
        let value = path(krate, "__private::relation::Value");
        let with = text(format!("{value}::<{ty}>"));
        quote!(#[serde(rename = #json, with = #with #default)])
    }
}

/// Whether serde's own form of a type is the one of the runtime. It is known by its name, and
/// it only saves work: serde's derive writes two types with an implementation each for a field
/// that goes another way, which is most of what a derive costs.
fn has_serde_form(ty: &Type) -> bool {
    let element = argument(ty, "Option").unwrap_or(ty);
    let element = argument(element, "Vec").unwrap_or(element);
    let element = argument(element, "Option").unwrap_or(element);
    is_one_of(element, &["bool", "i16", "i32", "i64", "String", "Uuid"])
}

/// The runtime's way to the value of a relation.
fn way(field: &Field) -> Option<&'static str> {
    match field.source {
        Source::One { .. } => Some("One"),
        Source::Many(_) => Some("Many"),
        _ => None,
    }
}

/// A path as serde takes it: in a string.
fn path(krate: &syn::Path, rest: &str) -> String {
    format!("{}::{rest}", krate.to_token_stream()).replace(' ', "")
}
