//! Names derived from the struct's: of its functions, its tables, the promoted columns of its
//! view table, and its GraphQL type.

use std::collections::HashMap;

use darling::error::Accumulator;
use syn::ext::IdentExt;
use syn::{DeriveInput, Ident, Path};

use super::error::{error_at, parsed};
use crate::attr::{CratePath, StrValue, ViewAttr};
use crate::case;
use crate::identifiers::stored_name;
use crate::model::{DeriveKind, Field, Source, Table};
use crate::text;

/// The path of `fraiseql_runtime`. It is absolute by default, so that a module of that name does
/// not hide the crate.
pub(crate) fn krate(written: Option<CratePath>) -> Path {
    written.map_or_else(
        || syn::parse_quote!(::fraiseql_runtime),
        |CratePath(path)| path,
    )
}

/// The end of the names of functions, such as `sync_post`.
pub(super) fn entity(
    input: &DeriveInput,
    container: &ViewAttr,
    errors: &mut Accumulator,
) -> String {
    let Some(text) = &container.entity else {
        return case::snake(&input.ident.unraw().to_string());
    };
    function_name(text, "entity", errors)
}

/// The plural of the entity, in `sync_all_posts`.
pub(super) fn plural(container: &ViewAttr, entity: &str, errors: &mut Accumulator) -> String {
    match &container.plural {
        None => case::plural(entity),
        Some(text) => function_name(text, "plural", errors),
    }
}

/// The value of `entity` or `plural`.
fn function_name(text: &StrValue, attribute: &str, errors: &mut Accumulator) -> String {
    let name = text.value();
    if is_function_name(&name) {
        return name;
    }
    let example = if attribute == "plural" {
        "blog_posts"
    } else {
        "blog_post"
    };
    errors.push(error_at(
        text.span(),
        format!(
            "`{attribute}` becomes part of function names, so it can contain only letters, digits \
             and `_`: `{attribute} = \"{example}\"`"
        ),
    ));
    // Not empty, so that names made of it are valid and not reported as well.
    "invalid".to_owned()
}

/// Whether `sync_<name>` is an identifier. Keywords are allowed: `sync_type`.
pub(crate) fn is_function_name(name: &str) -> bool {
    !name.is_empty() && syn::parse_str::<Ident>(&format!("sync_{name}")).is_ok()
}

/// The name of the GraphQL type.
pub(super) fn type_name(
    input: &DeriveInput,
    written: Option<&StrValue>,
    errors: &mut Accumulator,
) -> String {
    let (name, span) = match written {
        Some(text) => (text.value(), text.span()),
        None => (input.ident.unraw().to_string(), input.ident.span()),
    };
    if let Err(message) = text::graphql_name(&name, "type_name") {
        errors.push(error_at(span, message));
    }
    name
}

/// The table in the attribute, or `prefix` and the entity.
pub(super) fn table(
    text: Option<&StrValue>,
    prefix: &str,
    entity: &str,
    errors: &mut Accumulator,
) -> Table {
    if text.is_some() {
        return parsed(text, text::table, errors).unwrap_or_default();
    }
    Table {
        schema: "public".to_owned(),
        name: format!("{prefix}{entity}"),
    }
}

/// Checks the default names of tables, which are longer than the name of the struct.
pub(super) fn check_default_tables(
    input: &DeriveInput,
    container: &ViewAttr,
    entity: &str,
    kind: DeriveKind,
    errors: &mut Accumulator,
) {
    let defaults = [
        ("table", "tb_", container.table.is_none()),
        (
            "view",
            "tv_",
            container.view.is_none() && kind == DeriveKind::View,
        ),
    ];
    let defaults: Vec<_> = defaults
        .iter()
        .filter(|(_, _, is_default)| *is_default)
        .collect();
    // Both prefixes have the same length, so the first stands for both.
    let Some((_, prefix, _)) = defaults.first() else {
        return;
    };
    if let Err(message) = text::identifier(&format!("{prefix}{entity}")) {
        let attributes: Vec<String> = defaults
            .iter()
            .map(|(attribute, ..)| format!("`{attribute} = \"..\"`"))
            .collect();
        let span = container
            .entity
            .as_ref()
            .map_or(input.ident.span(), StrValue::span);
        let message = format!(
            "{message}; choose another with {}",
            attributes.join(" and ")
        );
        errors.push(error_at(span, message));
    }
}

/// Names the promoted columns. The name of a bookkeeping column gets the prefix `doc_`.
pub(super) fn promoted_columns(fields: &mut [Field], errors: &mut Accumulator) {
    let mut in_use: HashMap<String, String> = HashMap::new();
    for key in fields.iter().filter(|field| field.is_key) {
        if let Source::Column(column) = &key.source
            && let Some(other) = in_use.insert(stored_name(column), key.name.clone())
        {
            errors.push(error_at(
                key.ident.span(),
                format!(
                    "`{}` and `{other}` are both the column `{column}`; mark only one of them with \
                     `key`",
                    key.name
                ),
            ));
        }
    }
    for field in fields {
        let Some(promoted) = &mut field.promoted else {
            continue;
        };
        promoted.column = stored_name(&promoted.column);
        if let Some(other) = in_use.insert(promoted.column.clone(), field.name.clone()) {
            errors.push(error_at(
                field.ident.span(),
                format!(
                    "`{}` and `{other}` would both be the column `{}` of the view table; mark \
                     only one of them with `filter`, `sort` or `unique`",
                    field.name, promoted.column
                ),
            ));
        }
    }
}
