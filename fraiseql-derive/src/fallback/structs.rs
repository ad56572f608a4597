//! Stubs for a struct with `TView` or `Embed`.

use darling::Error;
use darling::error::Accumulator;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Path, Type};

use super::serde;
use crate::attr::{self, BoolValue, FieldAttr, StrValue, ViewAttr};
use crate::model::DeriveKind;
use crate::{case, check};

/// The stubs of everything that the derive emits.
pub(crate) fn stubs(input: &DeriveInput, kind: DeriveKind) -> TokenStream {
    let mut errors = Error::accumulator();
    let (container, _) = check::struct_attributes(input, kind, &mut errors);
    let key = key_type(input, &mut errors);
    // These errors are reported by `check`.
    drop(errors.finish());
    let krate = check::krate(container.krate.clone());
    let shape = shape(input, &krate, &key);
    let serde = container
        .serde
        .is_none_or(|BoolValue(on)| on)
        .then(|| serde::stubs(input, &krate));
    let view = (kind == DeriveKind::View).then(|| view(input, &krate, &container, &key));
    quote!(#shape #serde #view)
}

/// A shape without fields. Proofs about the structs that embed this one skip such a shape.
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

fn view(input: &DeriveInput, krate: &Path, container: &ViewAttr, key: &Type) -> TokenStream {
    let ident = &input.ident;
    let (generics, arguments, _) = input.generics.split_for_impl();
    // An invalid name is what the errors are about, and the default is used.
    let written = |text: &Option<StrValue>| {
        let name = text.as_ref().map(StrValue::value)?;
        check::is_function_name(&name).then_some(name)
    };
    let entity =
        written(&container.entity).unwrap_or_else(|| case::snake(&ident.unraw().to_string()));
    let plural = written(&container.plural).unwrap_or_else(|| case::plural(&entity));
    let functions = functions(input, krate, key, &entity, &plural);
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
                field: "",
                list_field: "",
                data: #krate::schema::Data::Jsonb,
                sync: #krate::schema::SyncTime::Commit,
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
        #functions
    }
}

fn functions(
    input: &DeriveInput,
    krate: &Path,
    key: &Type,
    entity: &str,
    plural: &str,
) -> TokenStream {
    let visibility = &input.vis;
    let sync = format_ident!("sync_{entity}");
    let sync_all = format_ident!("sync_all_{plural}");
    let verify = format_ident!("verify_{entity}");
    let delete = format_ident!("delete_{entity}");
    quote! {
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

/// The type of the key, so that calls with keys of that type compile. If it is unknown, or the
/// field is what the errors are about, `i64`.
fn key_type(input: &DeriveInput, errors: &mut Accumulator) -> Type {
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
            check::sources(attr).is_empty() && check::unsupported(&field.ty).is_none()
        })
        .map_or(fallback, |(_, field)| field.ty.clone())
}
