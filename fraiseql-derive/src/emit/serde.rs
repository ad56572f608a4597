//! `Serialize` and `Deserialize`, by serde's own derive on a remote twin of the struct.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::LitStr;
use syn::spanned::Spanned;

use crate::emit::{alias, schema};
use crate::model::{Field, Model};

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
    let relations = relations(model);
    quote! {
        #relations

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
    if field.skipped {
        let default = path(krate, "__private::std::default::Default");
        let default = text(format!("<{ty} as {default}>::default"));
        quote!(#[serde(skip, default = #default)])
    } else if let Some(holder) = schema::holder(field) {
        let with = text(format!("__{holder}::<{ty}>"));
        quote!(#[serde(rename = #json, with = #with)])
    } else {
        let scalar = path(krate, "Scalar");
        let serialize = text(format!("<{ty} as {scalar}>::serialize_json"));
        let deserialize = text(format!("<{ty} as {scalar}>::deserialize_json"));
        quote!(#[serde(
            rename = #json,
            serialize_with = #serialize,
            deserialize_with = #deserialize,
        )])
    }
}

/// Serde's way to the values of relations. For a type that cannot hold a relation, which the
/// schema reports, the functions are those of the trait, so that serde does not report it too.
fn relations(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let mut holders: Vec<_> = model.document().filter_map(schema::holder).collect();
    holders.sort();
    holders.dedup();
    if holders.is_empty() {
        return TokenStream::new();
    }
    let ways = holders.iter().map(|holder| {
        let name = format_ident!("__{holder}");
        quote! {
            struct #name<T>(#krate::__private::std::marker::PhantomData<T>);
            impl<T: #krate::#holder> #name<T> {
                fn serialize<S>(
                    value: &T,
                    serializer: S,
                ) -> #krate::__private::std::result::Result<S::Ok, S::Error>
                where
                    T: #krate::__private::serde::Serialize,
                    S: #krate::__private::serde::Serializer,
                {
                    T::serialize(value, serializer)
                }
                fn deserialize<'de, D>(
                    deserializer: D,
                ) -> #krate::__private::std::result::Result<T, D::Error>
                where
                    T: #krate::__private::serde::Deserialize<'de>,
                    D: #krate::__private::serde::Deserializer<'de>,
                {
                    T::deserialize(deserializer)
                }
            }
            impl<T> __NoRelation<T> for #name<T> {}
        }
    });
    quote! {
        #[allow(dead_code)]
        trait __NoRelation<T> {
            fn serialize<S: #krate::__private::serde::Serializer>(
                _: &T,
                _: S,
            ) -> #krate::__private::std::result::Result<S::Ok, S::Error> {
                #krate::__private::std::unreachable!()
            }
            fn deserialize<'de, D: #krate::__private::serde::Deserializer<'de>>(
                _: D,
            ) -> #krate::__private::std::result::Result<T, D::Error> {
                #krate::__private::std::unreachable!()
            }
        }
        #(#ways)*
    }
}

/// A path as serde takes it: in a string.
fn path(krate: &syn::Path, rest: &str) -> String {
    format!("{}::{rest}", krate.to_token_stream()).replace(' ', "")
}
