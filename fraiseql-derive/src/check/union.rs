//! Checks an enum with `TUnion`, and its variants.

use std::collections::HashMap;

use darling::error::Accumulator;
use darling::{Error, Result};
use quote::ToTokens as _;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Ident, Type};

use super::error::error_at;
use super::{generics, names};
use crate::attr::{self, AllOrNames, MemberAttr, StrValue, UnionAttr};
use crate::docs;
use crate::model::{Interface, Union, UnionMember};
use crate::type_syntax::generic_argument;

/// Checks an enum. The error contains every mistake, each at its token.
pub(crate) fn check(input: &DeriveInput) -> Result<Union> {
    let mut errors = Error::accumulator();
    generics::refuse(
        input,
        "#[derive(TUnion)] does not support generic enums, because a union is one type of the schema: \
         write the types instead of the parameters",
        &mut errors,
    );
    let container: UnionAttr = attr::read(&input.attrs, &mut errors);
    let type_name = names::type_name(input, container.type_name.as_ref(), &mut errors);
    let type_name_span = match &container.type_name {
        Some(text) => text.span(),
        None => input.ident.span(),
    };
    let interface = container
        .interface
        .map(|interface| self::interface(&interface, &mut errors));
    let members = match &input.data {
        Data::Enum(data) if data.variants.is_empty() => {
            errors.push(error_at(
                input.ident.span(),
                format!(
                    "`{}` has no variants; a union needs at least one",
                    input.ident
                ),
            ));
            Vec::new()
        }
        Data::Enum(data) => members(data, &mut errors),
        other => {
            let found = match other {
                Data::Struct(_) => "a struct",
                _ => "a union of Rust",
            };
            errors.push(error_at(
                input.ident.span(),
                format!(
                    "#[derive(TUnion)] needs an enum whose variants hold one struct each, such as \
                     `enum Found {{ Post(Post), User(User) }}`; `{}` is {found}",
                    input.ident
                ),
            ));
            Vec::new()
        }
    };
    errors.finish_with(Union {
        ident: input.ident.clone(),
        visibility: input.vis.clone(),
        krate: names::krate(container.krate),
        type_name,
        type_name_span,
        docs: docs::of(&input.attrs),
        members,
        interface,
    })
}

fn members(data: &syn::DataEnum, errors: &mut Accumulator) -> Vec<UnionMember> {
    let mut seen: HashMap<String, &Ident> = HashMap::new();
    let mut members = Vec::new();
    for variant in &data.variants {
        let _: MemberAttr = attr::read(&variant.attrs, errors);
        for field in &variant.fields {
            let _: MemberAttr = attr::read(&field.attrs, errors);
        }
        let Some(ty) = errors.handle(held(variant)) else {
            continue;
        };
        let member = member(ty);
        let name = member.to_token_stream().to_string();
        if let Some(first) = seen.get(&name) {
            errors.push(error_at(
                ty.span(),
                format!("`{first}` holds this struct already: remove one of the variants"),
            ));
            continue;
        }
        seen.insert(name, &variant.ident);
        members.push(UnionMember {
            variant: variant.ident.clone(),
            ty: ty.clone(),
            document: member.clone(),
        });
    }
    members
}

/// The type that a variant holds.
fn held(variant: &syn::Variant) -> Result<&Type> {
    let ident = &variant.ident;
    let (found, span) = match &variant.fields {
        Fields::Unnamed(fields) => {
            let mut all = fields.unnamed.iter();
            match (all.next(), all.next()) {
                (Some(only), None) => return Ok(&only.ty),
                (Some(_), Some(second)) => ("has several fields", second.span()),
                (None, _) => ("holds nothing", variant.fields.span()),
            }
        }
        Fields::Named(_) => ("has named fields", variant.fields.span()),
        Fields::Unit => ("holds nothing", ident.span()),
    };
    Err(error_at(
        span,
        format!(
            "`{ident}` {found}; a variant of a union holds one struct with documents: \
             `{ident}({ident})`"
        ),
    ))
}

/// The struct in a variant, without the `Box` around it.
pub(crate) fn member(held: &Type) -> &Type {
    generic_argument(held, "Box").unwrap_or(held)
}

fn interface(value: &AllOrNames, errors: &mut Accumulator) -> Interface {
    match value {
        AllOrNames::All(span) => Interface::Common(*span),
        AllOrNames::Names(text) => Interface::Fields(fields(text, errors), text.span()),
    }
}

/// The names in `interface = "id, title"`.
fn fields(text: &StrValue, errors: &mut Accumulator) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for name in text.value().split(',').map(str::trim) {
        if name.is_empty() {
            let message = "a field is missing; write keys of documents, separated by commas: \
                           `interface = \"id, title\"`";
            errors.push(error_at(text.span(), message));
            return fields;
        }
        if fields.iter().any(|other| other == name) {
            let message = format!("the field `{name}` is listed twice");
            errors.push(error_at(text.span(), message));
            continue;
        }
        fields.push(name.to_owned());
    }
    fields
}
