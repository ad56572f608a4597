//! What `index(gin ..)` and `index(fulltext = ..)` mean: which parts of the documents.

use darling::error::Accumulator;
use proc_macro2::Span;

use super::error::{at, checked};
use super::index::Context;
use super::view_columns::list;
use crate::attr::{IndexAttr, Text, WholeOrPath};
use crate::model::{IndexOn, JsonPath, SearchText};
use crate::text;

/// The text search configurations that PostgreSQL has.
const LANGUAGES: [&str; 29] = [
    "simple",
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "lithuanian",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
    "yiddish",
];

pub(super) fn on_document(
    args: &IndexAttr,
    span: Span,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> (IndexOn, String) {
    if context.json_text {
        errors.push(at(
            span,
            "`gin` needs `data = \"jsonb\"` (the default): documents stored as `json` are text, \
             which PostgreSQL cannot index; leave `data = \"json\"` out, or promote what is \
             searched with `filter`",
        ));
    }
    let path = match &args.gin {
        Some(WholeOrPath::Path(text)) => path(&text.value(), text.span(), context, errors),
        _ => None,
    };
    let stem = path
        .as_ref()
        .map_or_else(|| "data".to_owned(), |path| path.keys.join("_"));
    (IndexOn::Gin(path), stem)
}

pub(super) fn fulltext(
    args: &IndexAttr,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> (IndexOn, String) {
    let mut texts = Vec::new();
    let mut stem = String::new();
    if let Some(list) = &args.fulltext {
        for part in list.value().split(',').map(str::trim) {
            stem.push_str(&part.replace('.', "_"));
            stem.push('_');
            let promoted = context.fields.iter().find_map(|field| {
                let promoted = field.promoted.as_ref()?;
                (field.name == part || promoted.column == part).then_some((field, promoted))
            });
            if let Some((field, promoted)) = promoted {
                texts.push(SearchText::Column {
                    name: promoted.column.clone(),
                    field: field.name.clone(),
                    span: list.span(),
                });
            } else if let Some(path) = path(part, list.span(), context, errors) {
                texts.push(SearchText::Document(path));
            }
        }
    }
    let language = language(args.language.as_ref(), errors);
    (
        IndexOn::FullText { texts, language },
        format!("{stem}search"),
    )
}

/// A language of PostgreSQL, or a configuration in another schema, as the text of a `regconfig`.
fn language(text: Option<&Text>, errors: &mut Accumulator) -> String {
    let Some(text) = text else {
        return "pg_catalog.simple".to_owned();
    };
    let name = text.value();
    if LANGUAGES.contains(&name.as_str()) {
        return format!("pg_catalog.{name}");
    }
    if name.contains('.') {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        return checked(Some(text), text::table, errors).map_or_else(String::new, |table| {
            format!("{}.{}", quoted(&table.schema), quoted(&table.name))
        });
    }
    errors.push(at(
        text.span(),
        format!(
            "PostgreSQL has no text search configuration `{name}`; there are {}; one of your \
             own is written with its schema: \"public.{name}\"",
            LANGUAGES.join(", ")
        ),
    ));
    String::new()
}

/// A path in the document, whose first key must be there.
fn path(
    text: &str,
    span: Span,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> Option<JsonPath> {
    let keys: Vec<String> = text.split('.').map(|key| key.trim().to_owned()).collect();
    let first = keys.first()?;
    if keys.iter().any(String::is_empty) {
        errors.push(at(
            span,
            format!(
                "`{text}` is no path: write keys of the document with dots between them: \
                 \"author.tags\""
            ),
        ));
        return None;
    }
    let document = || context.fields.iter().filter(|field| !field.skipped);
    let Some(field) = document().find(|field| field.json == *first) else {
        if context.complete {
            let message = match document().find(|field| field.name == *first) {
                Some(field) => format!(
                    "`{first}` is the field, and its key in the document is `{0}`: write `{0}`",
                    field.json
                ),
                None => format!(
                    "the document has no key `{first}`; there are {}",
                    list(document().map(|field| field.json.as_str()))
                ),
            };
            errors.push(at(span, message));
        }
        return None;
    };
    if keys.len() > 1 && field.holds_list() {
        errors.push(at(
            span,
            format!(
                "`{first}` is a list, and a path does not lead into lists; index the whole of \
                 it, and search with `data -> '{first}' @> '[{{..}}]'`: `gin = \"{first}\"`"
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
