//! `Serialize` and `Deserialize` of a view or a part, with the keys and the encodings of its
//! documents.
//!
//! They are written by serde's own derive. A derive cannot add `#[serde(..)]` attributes to the
//! user's struct, so they are on a copy of it, `__Document`. Its `#[serde(remote)]` makes serde
//! read and write the fields of the user's struct instead of the copy's.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{LitStr, Type};

use super::names::alias;
use crate::model::{Field, Model, Source};
use crate::type_syntax::{generic_argument, is_named};

pub(super) fn emit(model: &Model) -> TokenStream {
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

/// The `#[serde(..)]` of a field.
fn attribute(krate: &syn::Path, field: &Field) -> TokenStream {
    let json = &field.json;
    let ty = alias(field);
    // serde parses paths out of strings and gives their tokens the span of the string. With the
    // span of the field's type, an error about it is equal to those elsewhere, and reported once.
    let path_str = |path: String| LitStr::new(&path, field.ty.span());
    // A document that was stored before the struct got this field can still be read.
    let default = generic_argument(&field.ty, "Option").map(|_| quote!(, default));
    // A struct is read from its document and its hidden fields, and written as the document.
    let hidden = field.is_hidden().then(|| quote!(, skip_serializing));
    if field.skipped {
        let default = path(krate, "__private::std::default::Default");
        let default = path_str(format!("<{ty} as {default}>::default"));
        quote!(#[serde(skip, default = #default)])
    } else if let Some(relation) = relation(field) {
        let relation = path(krate, "__private::relation::") + relation;
        let with = path_str(format!("{relation}::<{ty}>"));
        quote!(#[serde(rename = #json, with = #with #default #hidden)])
    } else if has_serde_encoding(&field.ty) {
        quote!(#[serde(rename = #json #default #hidden)])
    } else {
        let value = path(krate, "__private::relation::Value");
        let with = path_str(format!("{value}::<{ty}>"));
        quote!(#[serde(rename = #json, with = #with #default #hidden)])
    }
}

/// Whether serde's encoding of a type is that of documents, so that no `with` is needed.
///
/// This only saves compile time: for each field with a `with`, serde's derive writes two types with
/// an implementation each, which is most of what a derive costs. So it is enough to recognize the
/// usual types by their names.
fn has_serde_encoding(ty: &Type) -> bool {
    let element = generic_argument(ty, "Option").unwrap_or(ty);
    let element = generic_argument(element, "Vec").unwrap_or(element);
    let element = generic_argument(element, "Option").unwrap_or(element);
    is_named(element, &["bool", "i16", "i32", "i64", "String", "Uuid"])
}

/// The type of the runtime that encodes the value of a relation.
fn relation(field: &Field) -> Option<&'static str> {
    match field.source {
        Source::One { .. } | Source::First(_) => Some("One"),
        Source::Many(_) => Some("Many"),
        _ => None,
    }
}

/// A path as text, for serde.
fn path(krate: &syn::Path, rest: &str) -> String {
    format!("{}::{rest}", krate.to_token_stream()).replace(' ', "")
}
