//! The part in a field, as a type of its own.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Path, Type, Visibility};

use super::names::{holder_trait, part_name};
use super::spans::{ends, projection};
use crate::model::{Field, Model};

/// A type that stands for the part in a field, if the field holds an object or a list. It is
/// `User` for a field of type `Option<Box<User>>`.
///
/// The part is mentioned by the table, the list of children and the proofs. It is taken out of
/// the field's type only here, so that a type without a part is one error, at the field.
pub(super) fn emit(model: &Model, field: &Field) -> Option<(Ident, TokenStream)> {
    let krate = &model.krate;
    let holder = holder_trait(field)?;
    let name = part_name(field);
    let holder = quote!(#holder);
    let item = stand_in(krate, &model.visibility, &name, &field.ty, &holder, "Part");
    Some((name, item))
}

/// A type that stands for the struct in the type `ty`: for the associated type of the trait `holder`, of this crate's
/// `__private`, which `ty` implements. It is mentioned in place of `ty`, so that a type without documents is one
/// error.
pub(super) fn stand_in(
    krate: &Path,
    visibility: &Visibility,
    name: &Ident,
    ty: &Type,
    holder: &TokenStream,
    associated: &str,
) -> TokenStream {
    let ends = ends(ty);
    let (_, end) = ends;
    let holder = quote_spanned!(end=> #krate::__private::#holder);
    let associated = Ident::new(associated, end);
    let document = projection(ty, &holder, &quote!(#associated), ends);
    let embed = quote_spanned!(end=> #krate::Embed);
    let shape = projection(&document, &embed, &quote_spanned!(end=> SHAPE), ends);
    let children = projection(&document, &embed, &quote_spanned!(end=> children()), ends);
    // It is as visible as the type whose `children` returns a list that contains it. The lints
    // are those of public items.
    quote! {
        #[doc(hidden)]
        #[allow(
            missing_docs,
            missing_debug_implementations,
            non_camel_case_types,
            unreachable_pub
        )]
        #visibility enum #name {}
        #[automatically_derived]
        impl #krate::Embed for #name {
            const SHAPE: &'static #krate::schema::Shape =
                #shape;
            type KeyField = #krate::__private::NoKey;
            fn children() -> impl #krate::__private::Children {
                #children
            }
        }
    }
}

/// The list of a struct's children, as the body of `Embed::children`: the part in each field, with
/// the index of the field.
///
/// It is a list of types, beside the function pointers in the table, because the compiler cannot
/// call a function pointer in a constant. Proofs walk the types: for cycles, and for the columns
/// of parts. The function is never called; only its return type is used.
pub(super) fn children(
    model: &Model,
    parts: impl DoubleEndedIterator<Item = (Ident, usize)> + ExactSizeIterator,
) -> TokenStream {
    let krate = &model.krate;
    if parts.len() == 0 {
        return quote!(#krate::__private::End);
    }
    let list = parts.rev().fold(
        quote!(#krate::__private::End),
        |rest, (name, index)| quote!(#krate::__private::Child<#name, #index, #rest>),
    );
    quote!(<#list>::LIST)
}
