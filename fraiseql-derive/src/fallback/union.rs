//! Stubs for an enum with `TUnion`.

use std::collections::HashSet;

use darling::Error;
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Path};

use crate::attr::{self, UnionAttr};
use crate::check;

/// The stubs of everything that `TUnion` emits. Without members, proofs have nothing to say.
pub(crate) fn stubs(input: &DeriveInput) -> TokenStream {
    let mut errors = Error::accumulator();
    let attr: UnionAttr = attr::read(&input.attrs, &mut errors);
    // These errors are reported by `check`.
    drop(errors.finish());
    let krate = check::krate(attr.krate);
    let ident = &input.ident;
    let name = ident.unraw().to_string();
    let (generics, arguments, _) = input.generics.split_for_impl();
    let marks = marks(input, &krate);
    quote! {
        #[automatically_derived]
        impl #generics #krate::TUnion for #ident #arguments
        where
            Self: 'static,
        {
            const UNION: &'static #krate::schema::Union = &#krate::schema::Union {
                id: #name,
                name: #name,
                type_name: #name,
                docs: #krate::__private::std::option::Option::None,
                members: &[],
                interface: #krate::__private::std::option::Option::None,
            };
            fn members() -> impl #krate::__private::Children {
                #krate::__private::End
            }
        }
        #marks
    }
}

/// The marks of the members. A type with a parameter of the enum cannot have one.
fn marks(input: &DeriveInput, krate: &Path) -> Option<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return None;
    };
    if !input.generics.params.is_empty() {
        return None;
    }
    let ident = &input.ident;
    let fields = data.variants.iter().flat_map(|variant| &variant.fields);
    let mut seen = HashSet::new();
    let documents = fields
        .map(|field| check::member(&field.ty))
        .filter(|document| seen.insert(document.to_token_stream().to_string()));
    let marks = documents.map(|document| {
        quote! {
            #[automatically_derived]
            impl #krate::MemberOf<#ident> for #document {}
        }
    });
    Some(marks.collect())
}
