//! Checks an enum with `TEnum`, and its variants.

use std::collections::HashMap;

use darling::error::Accumulator;
use darling::{Error, Result};
use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Ident};

use super::error::error_at;
use super::{generics, names};
use crate::attr::{self, BoolValue, EnumAttr, StrValue, VariantAttr};
use crate::case::LabelStyle;
use crate::model::{Enumeration, Variant};
use crate::text;

/// Checks an enum. The error contains every mistake, each at its token.
pub(crate) fn check(input: &DeriveInput) -> Result<Enumeration> {
    let mut errors = Error::accumulator();
    generics::refuse(
        input,
        "#[derive(TEnum)] does not support generic enums, because an enum is one list of labels: \
         remove the parameters",
        &mut errors,
    );
    let container: EnumAttr = attr::read(&input.attrs, &mut errors);
    let type_name = names::type_name(input, container.type_name.as_ref(), &mut errors);
    let style = style(container.rename_all.as_ref(), &mut errors);
    let variants = match &input.data {
        Data::Enum(data) if data.variants.is_empty() => {
            errors.push(error_at(
                input.ident.span(),
                format!(
                    "`{}` has no variants; an enum needs at least one",
                    input.ident
                ),
            ));
            Vec::new()
        }
        Data::Enum(data) => variants(data, style, &mut errors),
        other => {
            let found = match other {
                Data::Struct(_) => {
                    "is a struct; for a struct with one field use #[derive(TScalar)]"
                }
                _ => "is a union",
            };
            errors.push(error_at(
                input.ident.span(),
                format!(
                    "#[derive(TEnum)] needs an enum whose variants have no data; `{}` {found}",
                    input.ident
                ),
            ));
            Vec::new()
        }
    };
    errors.finish_with(Enumeration {
        ident: input.ident.clone(),
        krate: names::krate(container.krate),
        type_name,
        serde: container.serde.is_none_or(|BoolValue(on)| on),
        variants,
    })
}

/// The value of `rename_all`.
fn style(text: Option<&StrValue>, errors: &mut Accumulator) -> Option<LabelStyle> {
    let text = text?;
    let style = LabelStyle::from_name(&text.value());
    if style.is_none() {
        let all: Vec<String> = LabelStyle::ALL
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        errors.push(error_at(
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

/// The names in use, each with its variant.
type NamesInUse = HashMap<String, Ident>;

fn variants(
    data: &syn::DataEnum,
    style: Option<LabelStyle>,
    errors: &mut Accumulator,
) -> Vec<Variant> {
    let (mut names, mut labels) = (NamesInUse::new(), NamesInUse::new());
    let mut variants = Vec::new();
    for syn_variant in &data.variants {
        let ident = &syn_variant.ident;
        if !matches!(syn_variant.fields, Fields::Unit) {
            errors.push(error_at(
                syn_variant.fields.span(),
                format!(
                    "`{ident}` has data, but the values of a PostgreSQL enum are labels only; \
                     for values with data use `serde_json::Value` and a column of type jsonb"
                ),
            ));
        }
        let attr: VariantAttr = attr::read(&syn_variant.attrs, errors);
        let (json, json_span) = json(ident, &attr, errors);
        let (variant_labels, label_span) = self::labels(ident, &attr, style, errors);
        // Names and labels are read back, so each must lead to one variant. A variant with both
        // in common with others is one error.
        let same_name = names.get(&json).cloned();
        let same_label = variant_labels
            .iter()
            .find_map(|label| Some((label, labels.get(label)?.clone())));
        match (same_name, same_label) {
            (None, None) => {}
            (Some(first), None) => errors.push(error_at(
                json_span,
                format!(
                    "`{first}` and `{ident}` would both be \"{json}\" in JSON; give one of them \
                     another name with `#[tview(json = \"..\")]`"
                ),
            )),
            (None, Some((label, first))) => errors.push(error_at(
                label_span,
                format!(
                    "`{first}` and `{ident}` would both be \"{label}\" in the database; give one \
                     of them another label with `#[tview(rename = \"..\")]`"
                ),
            )),
            (Some(first), Some((label, _))) => errors.push(error_at(
                json_span,
                format!(
                    "`{first}` and `{ident}` would both be \"{json}\" in JSON and \"{label}\" in \
                     the database; give one of them other names with `#[tview(json = \"..\", \
                     rename = \"..\")]`"
                ),
            )),
        }
        names.entry(json.clone()).or_insert_with(|| ident.clone());
        for label in &variant_labels {
            labels.entry(label.clone()).or_insert_with(|| ident.clone());
        }
        variants.push(Variant {
            ident: ident.clone(),
            json,
            labels: variant_labels,
        });
    }
    variants
}

/// The name in JSON and GraphQL.
fn json(ident: &Ident, attr: &VariantAttr, errors: &mut Accumulator) -> (String, Span) {
    let (json, span) = match &attr.json {
        Some(text) => (text.value(), text.span()),
        None => (
            LabelStyle::ScreamingSnake.apply(&ident.unraw().to_string()),
            ident.span(),
        ),
    };
    if let Err(message) = text::graphql_name(&json, "json") {
        errors.push(error_at(span, message));
    } else if ["true", "false", "null"].contains(&json.as_str()) {
        errors.push(error_at(
            span,
            format!(
                "`{json}` cannot be an enum value in GraphQL; choose another name with \
                 `json = \"..\"`"
            ),
        ));
    }
    (json, span)
}

/// The labels in the database.
fn labels(
    ident: &Ident,
    attr: &VariantAttr,
    style: Option<LabelStyle>,
    errors: &mut Accumulator,
) -> (Vec<String>, Span) {
    let name = ident.unraw().to_string();
    if let Some(text) = &attr.rename {
        if text.value().contains('\0') {
            errors.push(error_at(
                text.span(),
                "a label cannot contain the character U+0000",
            ));
        }
        return (vec![text.value()], text.span());
    }
    let labels = match style {
        Some(style) => vec![style.apply(&name)],
        // Without `rename_all`, a label is accepted in each of the usual styles.
        None => {
            let mut labels = vec![LabelStyle::Snake.apply(&name)];
            for label in [LabelStyle::ScreamingSnake.apply(&name), name] {
                if !labels.contains(&label) {
                    labels.push(label);
                }
            }
            labels
        }
    };
    (labels, ident.span())
}
