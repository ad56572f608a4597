//! What the attributes of an enum and its variants mean.

use std::collections::HashMap;

use darling::error::Accumulator;
use darling::{Error, Result};
use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Ident};

use super::error::at;
use super::generics;
use super::names::{self, krate};
use crate::attr::{self, EnumAttr, Switch, Text, VariantAttr};
use crate::case::Style;
use crate::model::{Enumeration, Variant};
use crate::text;

/// Checks an enum. The error holds every mistake, each at its token.
pub(crate) fn check(input: &DeriveInput) -> Result<Enumeration> {
    let mut errors = Error::accumulator();
    generics(
        input,
        "#[derive(TEnum)] does not work on generic enums: each is one list of names; leave the \
         parameters out",
        &mut errors,
    );
    let container: EnumAttr = attr::read(&input.attrs, &mut errors);
    let type_name = names::type_name(input, container.type_name.as_ref(), &mut errors);
    let style = style(container.rename_all.as_ref(), &mut errors);
    let variants = match &input.data {
        Data::Enum(data) if data.variants.is_empty() => {
            errors.push(at(
                input.ident.span(),
                format!(
                    "`{}` has no variants, so no value in the database could be one",
                    input.ident
                ),
            ));
            Vec::new()
        }
        Data::Enum(data) => variants(data, style, &mut errors),
        other => {
            let found = match other {
                Data::Struct(_) => "is a struct; one with a single field takes #[derive(TScalar)]",
                _ => "is a union",
            };
            errors.push(at(
                input.ident.span(),
                format!(
                    "#[derive(TEnum)] needs an enum whose variants are names: `{}` {found}",
                    input.ident
                ),
            ));
            Vec::new()
        }
    };
    errors.finish_with(Enumeration {
        ident: input.ident.clone(),
        krate: krate(container.krate),
        type_name,
        serde: container.serde.is_none_or(|Switch(on)| on),
        variants,
    })
}

/// How all labels are written, if it was said.
fn style(text: Option<&Text>, errors: &mut Accumulator) -> Option<Style> {
    let text = text?;
    let style = Style::named(&text.value());
    if style.is_none() {
        let all: Vec<String> = Style::ALL
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        errors.push(at(
            text.span(),
            format!(
                "unknown `rename_all` \"{}\"; it can be {}",
                text.value(),
                all.join(", ")
            ),
        ));
    }
    style
}

/// Names that are taken, each with the variant that has it.
type Taken = HashMap<String, Ident>;

fn variants(data: &syn::DataEnum, style: Option<Style>, errors: &mut Accumulator) -> Vec<Variant> {
    let (mut names, mut labels) = (Taken::new(), Taken::new());
    let mut variants = Vec::new();
    for syn_variant in &data.variants {
        let ident = &syn_variant.ident;
        if !matches!(syn_variant.fields, Fields::Unit) {
            errors.push(at(
                syn_variant.fields.span(),
                format!(
                    "`{ident}` has data, and an enum in PostgreSQL has names only; a value with \
                     data is a `serde_json::Value`, for a column of type jsonb"
                ),
            ));
        }
        let attr: VariantAttr = attr::read(&syn_variant.attrs, errors);
        let (json, json_span) = json(ident, &attr, errors);
        let (own_labels, label_span) = self::labels(ident, &attr, style, errors);
        let same_name = names.get(&json).cloned();
        let same_label = own_labels
            .iter()
            .find_map(|label| Some((label, labels.get(label)?.clone())));
        match (same_name, same_label) {
            (None, None) => {}
            (Some(first), None) => errors.push(at(
                json_span,
                format!(
                    "`{first}` and `{ident}` would both be \"{json}\" in JSON; give one of them \
                     another name with `#[tview(json = \"..\")]`"
                ),
            )),
            (None, Some((label, first))) => errors.push(at(
                label_span,
                format!(
                    "`{first}` and `{ident}` would both be \"{label}\" in the database; give one \
                     of them another label with `#[tview(rename = \"..\")]`"
                ),
            )),
            (Some(first), Some((label, _))) => errors.push(at(
                json_span,
                format!(
                    "`{first}` and `{ident}` would both be \"{json}\" in JSON and \"{label}\" in \
                     the database; give one of them other names with `#[tview(json = \"..\", \
                     rename = \"..\")]`"
                ),
            )),
        }
        names.entry(json.clone()).or_insert_with(|| ident.clone());
        for label in &own_labels {
            labels.entry(label.clone()).or_insert_with(|| ident.clone());
        }
        variants.push(Variant {
            ident: ident.clone(),
            json,
            labels: own_labels,
        });
    }
    variants
}

/// The name in JSON and GraphQL.
fn json(ident: &Ident, attr: &VariantAttr, errors: &mut Accumulator) -> (String, Span) {
    let (json, span) = match &attr.json {
        Some(text) => (text.value(), text.span()),
        None => (
            Style::ScreamingSnake.of(&ident.unraw().to_string()),
            ident.span(),
        ),
    };
    if let Err(message) = text::graphql_name(&json, "json") {
        errors.push(at(span, message));
    } else if ["true", "false", "null"].contains(&json.as_str()) {
        errors.push(at(
            span,
            format!("`{json}` is a value of its own in GraphQL, and cannot be a name of an enum"),
        ));
    }
    (json, span)
}

/// What the variant is called in the database.
fn labels(
    ident: &Ident,
    attr: &VariantAttr,
    style: Option<Style>,
    errors: &mut Accumulator,
) -> (Vec<String>, Span) {
    let name = ident.unraw().to_string();
    if let Some(text) = &attr.rename {
        if text.value().contains('\0') {
            errors.push(at(
                text.span(),
                "a label cannot contain the character U+0000",
            ));
        }
        return (vec![text.value()], text.span());
    }
    let labels = match style {
        Some(style) => vec![style.of(&name)],
        None => {
            let mut labels = vec![Style::Snake.of(&name)];
            for label in [Style::ScreamingSnake.of(&name), name] {
                if !labels.contains(&label) {
                    labels.push(label);
                }
            }
            labels
        }
    };
    (labels, ident.span())
}
