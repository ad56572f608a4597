//! Stubs for a struct with errors, so that its users are not reported too.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Type};

use crate::case;
use crate::check::krate_of;
use crate::model::Kind;

pub(crate) fn stubs(input: &DeriveInput, kind: Kind) -> TokenStream {
    if !input.generics.params.is_empty() {
        return TokenStream::new();
    }
    let krate = krate_of(input);
    let ident = &input.ident;
    let name = ident.unraw().to_string();
    let shape = quote! {
        #[automatically_derived]
        impl #krate::Embed for #ident {
            const SHAPE: &'static #krate::schema::Shape = &#krate::schema::Shape {
                id: #name,
                name: #name,
                type_name: #name,
                table: #krate::schema::Table { schema: "", name: "" },
                filter: #krate::__private::std::option::Option::None,
                key: #krate::__private::std::option::Option::None,
                fields: &[],
            };
            type Children = #krate::__private::End;
        }
        #[automatically_derived]
        impl #krate::__private::serde::Serialize for #ident {
            fn serialize<S: #krate::__private::serde::Serializer>(
                &self,
                _: S,
            ) -> #krate::__private::std::result::Result<S::Ok, S::Error> {
                #krate::__private::std::unreachable!()
            }
        }
        #[automatically_derived]
        impl<'de> #krate::__private::serde::Deserialize<'de> for #ident {
            fn deserialize<D: #krate::__private::serde::Deserializer<'de>>(
                _: D,
            ) -> #krate::__private::std::result::Result<Self, D::Error> {
                #krate::__private::std::unreachable!()
            }
        }
    };
    if kind == Kind::Part {
        return shape;
    }
    let key = key_type(input);
    let visibility = &input.vis;
    let entity = case::snake(&name);
    let sync = format_ident!("sync_{entity}");
    let sync_all = format_ident!("sync_all_{}", case::plural(&entity));
    let delete = format_ident!("delete_{entity}");
    quote! {
        #shape
        #[automatically_derived]
        impl #krate::TView for #ident {
            type Key = #key;
            const VIEW: &'static #krate::schema::View = &#krate::schema::View {
                shape: <#ident as #krate::Embed>::SHAPE,
                table: #krate::schema::Table { schema: "", name: "" },
                entity: #entity,
                plural: #entity,
                data: #krate::schema::Data::Jsonb,
                key: #krate::schema::Key {
                    column: "",
                    ty: <i64 as #krate::Scalar>::TYPE,
                },
            };
            fn statements() -> &'static #krate::__private::Statements {
                #krate::__private::std::unreachable!()
            }
        }
        #[allow(dead_code)]
        #visibility async fn #sync(
            _: impl #krate::SyncTarget,
            _: &[#key],
        ) -> #krate::Result<#krate::SyncReport> {
            #krate::__private::std::unreachable!()
        }
        #[allow(dead_code)]
        #visibility fn #sync_all<'a, T: #krate::SyncTarget + 'a>(_: T) -> #krate::FullSync<'a, T> {
            #krate::__private::std::unreachable!()
        }
        #[allow(dead_code)]
        #visibility async fn #delete(
            _: impl #krate::SyncTarget,
            _: &[#key],
        ) -> #krate::Result<#krate::SyncReport> {
            #krate::__private::std::unreachable!()
        }
    }
}

/// The type of the field `id`, where it is one of the types that keys can have; else one
/// that is.
fn key_type(input: &DeriveInput) -> Type {
    let fallback = syn::parse_quote!(i64);
    let Data::Struct(data) = &input.data else {
        return fallback;
    };
    data.fields
        .iter()
        .find(|field| field.ident.as_ref().is_some_and(|ident| ident == "id"))
        .map(|field| field.ty.clone())
        .filter(|ty| {
            let Type::Path(path) = ty else { return false };
            path.path.segments.last().is_some_and(|segment| {
                ["i16", "i32", "i64", "String", "Uuid"]
                    .iter()
                    .any(|name| segment.ident == name)
            })
        })
        .unwrap_or(fallback)
}
