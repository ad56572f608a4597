//! Stubs for a struct with `TView` or `Embed`.

use darling::Error;
use darling::error::Accumulator;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Path, Type};

use super::serde;
use crate::attr::{self, BoolValue, FieldAttr, StrValue, ViewAttr};
use crate::emit::columns::{Column, Usage, constants};
use crate::identifiers::MAX_KEY_COLUMNS;
use crate::model::DeriveKind;
use crate::type_syntax::generic_argument;
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
                group_by: &[],
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
    let tenant = tenant_type(input, krate);
    let columns = columns(input, krate);
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
            type Tenant = #tenant;
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
                    columns: #krate::schema::Columns::new(&[""]),
                    types: &[<i64 as #krate::Scalar>::TYPE],
                },
                tenant: #krate::__private::std::option::Option::None,
                storage: #krate::schema::Storage::Table,
                indexes: &[],
                parameters: #krate::schema::StorageParameters::DEFAULT,
            };
            fn composed() -> &'static #krate::__private::Statements {
                #krate::__private::std::unreachable!()
            }
        }
        #functions
        #columns
    }
}

/// The constants of all fields, so that filters which name one compile.
fn columns(input: &DeriveInput, krate: &Path) -> Option<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return None;
    };
    if !input.generics.params.is_empty() {
        return None;
    }
    let named: Vec<(String, &syn::Field)> = data
        .fields
        .iter()
        .filter_map(|field| Some((field.ident.as_ref()?.unraw().to_string(), field)))
        .collect();
    let columns = named.iter().map(|(name, field)| Column {
        name,
        span: field.span(),
        visibility: &field.vis,
        ty: &field.ty,
        json: name,
        usage: Usage::FilterAndOrder,
    });
    Some(constants(krate, &input.ident, columns))
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

/// The type of the tenant, so that reads which name one compile, and others do not.
fn tenant_type(input: &DeriveInput, krate: &Path) -> Type {
    let mut errors = Error::accumulator();
    let fields = match &input.data {
        Data::Struct(data) => data.fields.iter().collect(),
        _ => Vec::new(),
    };
    let tenant = fields.into_iter().find(|field| {
        let attr: FieldAttr = attr::read(&field.attrs, &mut errors);
        attr.tenant.is_some()
    });
    // These errors are reported by `check`.
    drop(errors.finish());
    match tenant {
        Some(field) => generic_argument(&field.ty, "Option")
            .unwrap_or(&field.ty)
            .clone(),
        None => syn::parse_quote!(#krate::__private::NoTenant),
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
    let mut key: Vec<_> = fields
        .iter()
        .filter(|(attr, _)| attr.key.is_some())
        .collect();
    if key.is_empty() {
        key.extend(fields.iter().find(|(_, field)| named_id(field)));
    }
    let several = key.len() > 1;
    let is_valid = |(attr, field): &&(FieldAttr, &syn::Field)| {
        check::sources(attr).is_empty()
            && check::unsupported(&field.ty).is_none()
            && !(several && check::is_no_key_column(&field.ty))
    };
    let types: Vec<&Type> = key
        .into_iter()
        .filter(is_valid)
        .map(|(_, field)| &field.ty)
        .take(MAX_KEY_COLUMNS)
        .collect();
    match types.as_slice() {
        [] => fallback,
        [ty] => (*ty).clone(),
        types => syn::parse_quote!((#(#types),*)),
    }
}
