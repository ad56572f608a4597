//! Stubs for a newtype or an enum.

use darling::{Error, FromMeta};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{DeriveInput, Path};

use super::serde;
use crate::attr::{self, BoolValue, CratePath, EnumAttr, NewtypeAttr, Receiver};
use crate::check;

/// The stubs of everything that `TScalar` emits.
pub(crate) fn newtype(input: &DeriveInput) -> TokenStream {
    let attr: NewtypeAttr = readable(input);
    stubs(input, attr.krate, attr.serde, key)
}

/// The stubs of everything that `TEnum` emits.
pub(crate) fn enumeration(input: &DeriveInput) -> TokenStream {
    let attr: EnumAttr = readable(input);
    stubs(input, attr.krate, attr.serde, names)
}

/// The attributes that can be read. Errors are reported by `check`.
fn readable<T: Receiver + FromMeta>(input: &DeriveInput) -> T {
    let mut errors = Error::accumulator();
    let attr = attr::read(&input.attrs, &mut errors);
    drop(errors.finish());
    attr
}

fn stubs(
    input: &DeriveInput,
    krate: Option<CratePath>,
    serde: Option<BoolValue>,
    kind_stub: fn(&DeriveInput, &Path) -> TokenStream,
) -> TokenStream {
    let krate = check::krate(krate);
    let scalar = scalar(input, &krate);
    let kind_stub = kind_stub(input, &krate);
    let serde = serde
        .is_none_or(|BoolValue(on)| on)
        .then(|| serde::stubs(input, &krate));
    quote!(#scalar #kind_stub #serde)
}

fn scalar(input: &DeriveInput, krate: &Path) -> TokenStream {
    let ident = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics #krate::Scalar for #ident #arguments #bounds {
            const TYPE: #krate::scalar::ScalarType = <i64 as #krate::Scalar>::TYPE;
            fn serialize_json<__S: #krate::__private::serde::Serializer>(
                &self,
                _: __S,
            ) -> #krate::__private::std::result::Result<__S::Ok, __S::Error> {
                #krate::__private::std::unreachable!()
            }
            fn deserialize_json<'__de, __D: #krate::__private::serde::Deserializer<'__de>>(
                _: __D,
            ) -> #krate::__private::std::result::Result<Self, __D::Error> {
                #krate::__private::std::unreachable!()
            }
        }
        // With all operators, so that filters compile.
        #[automatically_derived]
        impl #generics #krate::scalar::Comparable for #ident #arguments #bounds {
            type Value = Self;
        }
        #[automatically_derived]
        impl #generics #krate::scalar::SingleValue for #ident #arguments #bounds {}
        #[automatically_derived]
        impl #generics #krate::scalar::Ordered for #ident #arguments #bounds {}
        #[automatically_derived]
        impl #generics #krate::scalar::Matchable for #ident #arguments #bounds {}
        #[automatically_derived]
        impl #generics #krate::scalar::ListValue for #ident #arguments #bounds {
            type Element = Self;
        }
    }
}

fn key(input: &DeriveInput, krate: &Path) -> TokenStream {
    let ident = &input.ident;
    let (generics, arguments, _) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics #krate::Key for #ident #arguments
        where
            Self: 'static + #krate::__private::std::marker::Send + #krate::__private::std::marker::Sync,
        {
            fn collect<'__k>(
                _: impl #krate::__private::std::iter::Iterator<Item = &'__k Self>,
            ) -> #krate::Keys {
                #krate::__private::std::unreachable!()
            }
            fn each(_: &#krate::Keys, _: &mut dyn #krate::__private::std::ops::FnMut(Self)) {
                #krate::__private::std::unreachable!()
            }
        }
    }
}

fn names(input: &DeriveInput, krate: &Path) -> TokenStream {
    let ident = &input.ident;
    let name = ident.unraw().to_string();
    let (generics, arguments, _) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics #krate::TEnum for #ident #arguments
        where
            Self: 'static,
        {
            const ENUM: &'static #krate::scalar::Enum = &#krate::scalar::Enum {
                name: #name,
                path: #krate::__private::std::any::type_name::<Self>,
                type_name: #name,
                variants: &[],
            };
            fn index(&self) -> usize {
                #krate::__private::std::unreachable!()
            }
            fn at(_: usize) -> #krate::__private::std::option::Option<Self> {
                #krate::__private::std::unreachable!()
            }
        }
    }
}
