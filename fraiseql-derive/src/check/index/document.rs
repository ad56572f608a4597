//! Checks `gin` and `fulltext` of an index: values in the documents.

use darling::error::Accumulator;
use proc_macro2::Span;

use super::context::Context;
use crate::attr::{FlagOrPath, IndexAttr, StrValue};
use crate::check::error::{error_at, name_list, parsed};
use crate::model::{IndexOn, JsonPath, SearchText};
use crate::text;

/// The path of `gin`, and the stem of the index's name.
pub(super) fn gin(
    args: &IndexAttr,
    span: Span,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> (IndexOn, String) {
    if context.json_text {
        errors.push(error_at(
            span,
            "`gin` needs `data = \"jsonb\"`, the default: PostgreSQL cannot index documents that \
             are stored as json; remove `data = \"json\"`, or mark the fields to search by with \
             `filter`",
        ));
    }
    let path = match &args.gin {
        Some(FlagOrPath::Path(text)) => path(&text.value(), text.span(), context, errors),
        _ => None,
    };
    let stem = path
        .as_ref()
        .map_or_else(|| "data".to_owned(), |path| path.keys.join("_"));
    (IndexOn::Gin(path), stem)
}

/// The texts of `fulltext`, and the stem of the index's name.
pub(super) fn fulltext(
    args: &IndexAttr,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> (IndexOn, String) {
    let mut texts = Vec::new();
    let mut stem = String::new();
    if let Some(list) = &args.fulltext {
        for name in list.value().split(',').map(str::trim) {
            stem.push_str(&name.replace('.', "_"));
            stem.push('_');
            // A promoted column takes precedence over a path of the same name.
            let promoted = context.fields.iter().find_map(|field| {
                let promoted = field.promoted.as_ref()?;
                (field.name == name || promoted.column == name).then_some((field, promoted))
            });
            if let Some((field, promoted)) = promoted {
                texts.push(SearchText::Column {
                    name: promoted.column.clone(),
                    field: field.name.clone(),
                    span: list.span(),
                });
            } else if let Some(path) = path(name, list.span(), context, errors) {
                texts.push(SearchText::Document(path));
            }
        }
    }
    let language = language(args.language.as_ref(), errors);
    (
        IndexOn::FullText {
            texts,
            language,
            search: None,
        },
        format!("{stem}search"),
    )
}

/// The text search configuration, as the text of a `regconfig`. It is qualified, so that it does
/// not depend on the search path of the session that creates the index. Which configurations a server
/// has is known when the read model is checked with its database.
fn language(text: Option<&StrValue>, errors: &mut Accumulator) -> String {
    let Some(text) = text else {
        return "pg_catalog.simple".to_owned();
    };
    parsed(Some(text), text::text_search_configuration, errors).unwrap_or_default()
}

/// A path in the document, whose first key must exist. Keys inside of parts are checked by a
/// proof that the compiler evaluates, which knows the parts.
fn path(
    text: &str,
    span: Span,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> Option<JsonPath> {
    let keys: Vec<String> = text.split('.').map(|key| key.trim().to_owned()).collect();
    let first = keys.first()?;
    if keys.iter().any(String::is_empty) {
        errors.push(error_at(
            span,
            format!(
                "`{text}` is not a path: write keys of the document, separated by dots: \
                 \"author.tags\""
            ),
        ));
        return None;
    }
    let document = || {
        let fields = context.fields.iter();
        fields.filter(|field| !field.skipped && !field.is_hidden())
    };
    let Some(field) = document().find(|field| field.json == *first) else {
        // With invalid fields the key may be one of theirs.
        if context.complete {
            let message = match document().find(|field| field.name == *first) {
                Some(field) => format!(
                    "the key of the field `{first}` in the document is `{0}`: write `{0}`",
                    field.json
                ),
                None => format!(
                    "the document has no key `{first}`; its keys are {}",
                    name_list(document().map(|field| field.json.as_str()))
                ),
            };
            errors.push(error_at(span, message));
        }
        return None;
    };
    if keys.len() > 1 && field.holds_list() {
        errors.push(error_at(
            span,
            format!(
                "`{first}` is a list, and a path cannot lead into a list; index the whole list \
                 with `gin = \"{first}\"`, and search it with `data -> '{first}' @> '[{{..}}]'`"
            ),
        ));
        return None;
    }
    Some(JsonPath {
        field: field.name.clone(),
        keys,
        span,
    })
}
