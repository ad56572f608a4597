//! Stubs for a struct with errors, so that its users are not reported too.

pub(crate) mod scalar;

use darling::Error;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Path, Type};

use crate::attr::{self, FieldAttr, Switch, Text, ViewAttr};
use crate::case;
use crate::check;
use crate::model::Kind;

/// The errors, and stubs.
pub(crate) fn with_errors(errors: Error, stubs: TokenStream) -> proc_macro::TokenStream {
    let mut tokens = errors.write_errors();
    tokens.extend(stubs);
    tokens.into()
}

pub(crate) fn stubs(input: &DeriveInput, kind: Kind) -> TokenStream {
    let mut errors = Error::accumulator();
    let (container, _) = check::container(input, kind, &mut errors);
    let key = key_type(input, &mut errors);
    // They were reported.
    drop(errors.finish());
    let krate = check::krate(container.krate.clone());
    let shape = shape(input, &krate, &key);
    let serde = container
        .serde
        .is_none_or(|Switch(on)| on)
        .then(|| serde(input, &krate));
    let view = (kind == Kind::View).then(|| view(input, &krate, &container, &key));
    quote!(#shape #serde #view)
}

fn shape(input: &DeriveInput, krate: &Path, key: &Type) -> TokenStream {
    let ident = &input.ident;
    let name = ident.unraw().to_string();
    let (generics, arguments, _) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics #krate::Embed for #ident #arguments
        where
            Self: 'static,
        {
            const SHAPE: &'static #krate::schema::Shape = &#krate::schema::Shape {
                id: #name,
                name: #name,
                type_name: #name,
                docs: #krate::__private::std::option::Option::None,
                table: #krate::schema::Table { schema: "", name: "" },
                filter: #krate::__private::std::option::Option::None,
                key: #krate::__private::std::option::Option::None,
                fields: &[],
            };
            type KeyField = #key;
            fn children() -> impl #krate::__private::Children {
                #krate::__private::End
            }
        }
    }
}

fn serde(input: &DeriveInput, krate: &Path) -> TokenStream {
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

fn view(input: &DeriveInput, krate: &Path, container: &ViewAttr, key: &Type) -> TokenStream {
    let ident = &input.ident;
    let (generics, arguments, _) = input.generics.split_for_impl();
    let visibility = &input.vis;
    let named = |text: &Option<Text>| {
        let name = text.as_ref().map(Text::value)?;
        check::is_function_name(&name).then_some(name)
    };
    let entity =
        named(&container.entity).unwrap_or_else(|| case::snake(&ident.unraw().to_string()));
    let plural = named(&container.plural).unwrap_or_else(|| case::plural(&entity));
    let sync = format_ident!("sync_{entity}");
    let sync_all = format_ident!("sync_all_{plural}");
    let verify = format_ident!("verify_{entity}");
    let delete = format_ident!("delete_{entity}");
    quote! {
        #[automatically_derived]
        impl #generics #krate::__private::ViewDef for #ident #arguments
        where
            Self: 'static
                + #krate::__private::serde::Serialize
                + #krate::__private::serde::de::DeserializeOwned
                + #krate::__private::std::marker::Send
                + #krate::__private::std::marker::Sync,
        {
            type DocumentKey = #key;
            const DEFINITION: &'static #krate::schema::View = &#krate::schema::View {
                shape: <#ident #arguments as #krate::Embed>::SHAPE,
                table: #krate::schema::Table { schema: "", name: "" },
                entity: #entity,
                plural: #plural,
                data: #krate::schema::Data::Jsonb,
                key: #krate::schema::Key {
                    column: "",
                    ty: <i64 as #krate::Scalar>::TYPE,
                },
                indexes: &[],
                storage: #krate::schema::Storage::DEFAULT,
            };
            fn composed() -> &'static #krate::__private::Statements {
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
        #visibility fn #sync_all<'a, T: #krate::SyncTarget + 'a>(_: T) -> #krate::sync::FullSync<'a, T> {
            #krate::__private::std::unreachable!()
        }
        #[allow(dead_code)]
        #visibility fn #verify<'a>(_: impl #krate::verify::VerifyTarget + 'a) -> #krate::Verify<'a> {
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

/// The type of the key, where it can be told and is a column; else one that keys can have.
fn key_type(input: &DeriveInput, errors: &mut darling::error::Accumulator) -> Type {
    let fallback = syn::parse_quote!(i64);
    let Data::Struct(data) = &input.data else {
        return fallback;
    };
    if !input.generics.params.is_empty() {
        return fallback;
    }
    let fields: Vec<(FieldAttr, &syn::Field)> = data
        .fields
        .iter()
        .map(|field| (attr::read(&field.attrs, errors), field))
        .collect();
    let named_id = |field: &syn::Field| field.ident.as_ref().is_some_and(|ident| ident == "id");
    fields
        .iter()
        .find(|(attr, _)| attr.key.is_some())
        .or_else(|| fields.iter().find(|(_, field)| named_id(field)))
        .filter(|(attr, field)| {
            check::sources(attr).is_empty() && check::refused(&field.ty).is_none()
        })
        .map_or(fallback, |(_, field)| field.ty.clone())
}
