//! The output of `TUnion`: a constant table, the mark of each member, and proofs.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::part::stand_in;
use super::spans::{const_call, ends, respanned};
use super::tokens::{id, option};
use crate::model::{Interface, Union, UnionMember};

/// Everything that `TUnion` emits for an enum.
pub(crate) fn emit(union: &Union) -> TokenStream {
    let Union {
        ident,
        krate,
        type_name,
        docs,
        members,
        ..
    } = union;
    let name = ident.unraw().to_string();
    let id = id(krate, &name);
    let docs = option(krate, docs.as_ref());
    let interface = option(krate, union.interface.as_ref().map(|it| fields(union, it)));
    let parts = members.iter().map(|member| part(union, member));
    let shapes = members.iter().map(part_name);
    let list = list(union);
    let marks = members.iter().map(|member| mark(union, member));
    let uses = uses(union);
    let proofs = proofs(union);
    quote! {
        const _: () = {
            #(#parts)*

            #[automatically_derived]
            impl #krate::TUnion for #ident {
                const UNION: &'static #krate::schema::Union = &#krate::schema::Union {
                    id: #id,
                    name: #name,
                    type_name: #type_name,
                    docs: #docs,
                    members: &[#(<#shapes as #krate::Embed>::shape),*],
                    interface: #interface,
                };
                fn members() -> impl #krate::__private::Children {
                    #list
                }
            }
            #(#marks)*
            #uses
            #proofs
        };
    }
}

/// A `schema::Interface`.
fn fields(union: &Union, interface: &Interface) -> TokenStream {
    let krate = &union.krate;
    match interface {
        Interface::Common(_) => quote!(#krate::schema::Interface::Common),
        Interface::Fields(names, _) => quote!(#krate::schema::Interface::Fields(&[#(#names),*])),
    }
}

/// The type that stands for the struct of a variant.
fn part_name(member: &UnionMember) -> Ident {
    let variant = member.variant.unraw();
    format_ident!("__Member_{}", variant, span = member.ty.span())
}

/// A type that stands for the struct of a variant, as `part` has one for the part in a field: a type
/// without documents is one error, at the variant.
fn part(union: &Union, member: &UnionMember) -> TokenStream {
    stand_in(
        &union.krate,
        &union.visibility,
        &part_name(member),
        &member.ty,
        &quote!(union::UnionMember),
        "Document",
    )
}

/// The implementation of `MemberOf` for the struct of a variant. Two variants with one struct are an
/// error at their types, if the derive cannot see that they are the same.
fn mark(union: &Union, member: &UnionMember) -> TokenStream {
    let krate = &union.krate;
    let document = &member.document;
    let (start, end) = ends(document);
    let union = respanned(&union.ident, start);
    let implementation = quote_spanned!(start=> impl #krate::MemberOf<#union> for);
    let body = quote_spanned!(end=> {});
    quote!(#[automatically_derived] #implementation #document #body)
}

/// The members as a list of types.
fn list(union: &Union) -> TokenStream {
    let krate = &union.krate;
    let end = quote!(#krate::__private::End);
    let members = union.members.iter().enumerate().rev();
    let list = members.fold(end, |rest, (index, member)| {
        let name = part_name(member);
        quote!(#krate::__private::Child<#name, #index, #rest>)
    });
    quote!(<#list>::LIST)
}

/// Uses of the variants. The values of a union are documents, so that the program may construct and
/// match none of its variants, and the compiler would say so.
fn uses(union: &Union) -> TokenStream {
    let Union { ident, members, .. } = union;
    let variants: Vec<_> = members.iter().map(|member| &member.variant).collect();
    let types = members.iter().map(|member| &member.ty);
    quote! {
        #(const _: fn(#types) -> #ident = #ident::#variants;)*
        const _: fn(#ident) = |value| match value { #(#ident::#variants(_member) => {}),* };
    }
}

/// What only the compiler can decide.
fn proofs(union: &Union) -> TokenStream {
    let krate = &union.krate;
    let proof = |name: &str, argument: TokenStream, (start, end): (Span, Span)| {
        let (ident, name) = (respanned(&union.ident, start), Ident::new(name, start));
        let proof = quote_spanned!(start=> __private::union::#name::<#ident>);
        const_call(&proof, &argument, end)
    };
    let at = |span| (span, span);
    let mut proofs = proof("type_name", TokenStream::new(), at(union.type_name_span));
    for (index, member) in union.members.iter().enumerate() {
        proofs.extend(proof("member", quote!(#index), ends(&member.ty)));
    }
    match &union.interface {
        Some(Interface::Common(span)) => {
            proofs.extend(proof("common", TokenStream::new(), at(*span)));
        }
        Some(Interface::Fields(names, span)) => {
            proofs.extend(
                names
                    .iter()
                    .map(|name| proof("field", quote!(#name), at(*span))),
            );
        }
        None => {}
    }
    quote! {
        use #krate::__private;
        #proofs
    }
}
