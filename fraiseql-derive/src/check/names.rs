//! The names that follow from the struct's: of its functions, its tables, the columns of its
//! view table, and its type in GraphQL.

use std::collections::HashMap;

use darling::error::Accumulator;
use syn::ext::IdentExt;
use syn::{DeriveInput, Ident, Path};

use super::error::{at, checked};
use crate::attr::{Root, Text, ViewAttr};
use crate::case;
use crate::model::{Field, Kind, Source, Table};
use crate::text;

/// Columns that every view table has.
pub(super) const BOOKKEEPING: [&str; 5] = ["data", "version", "synced_xid", "updated_at", "shape"];

/// Where the runtime is.
pub(crate) fn krate(root: Option<Root>) -> Path {
    root.map_or_else(|| syn::parse_quote!(::fraiseql_runtime), |root| root.0)
}

/// What the functions' names end with.
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

/// The entity, of many.
pub(super) fn plural(container: &ViewAttr, entity: &str, errors: &mut Accumulator) -> String {
    match &container.plural {
        None => case::plural(entity),
        Some(text) => function_name(text, "plural", errors),
    }
}

/// A part of a function's name.
fn function_name(text: &Text, attribute: &str, errors: &mut Accumulator) -> String {
    let name = text.value();
    if is_function_name(&name) {
        return name;
    }
    let example = if attribute == "plural" {
        "blog_posts"
    } else {
        "blog_post"
    };
    errors.push(at(
        text.span(),
        format!(
            "`{attribute}` becomes a part of function names, so it has letters, digits and `_` \
             only: `{attribute} = \"{example}\"`"
        ),
    ));
    "invalid".to_owned()
}

/// Whether `sync_` and the name are one: so that keywords are fine.
pub(crate) fn is_function_name(name: &str) -> bool {
    !name.is_empty() && syn::parse_str::<Ident>(&format!("sync_{name}")).is_ok()
}

/// The name in GraphQL.
pub(super) fn type_name(
    input: &DeriveInput,
    written: Option<&Text>,
    errors: &mut Accumulator,
) -> String {
    let (name, span) = match written {
        Some(text) => (text.value(), text.span()),
        None => (input.ident.unraw().to_string(), input.ident.span()),
    };
    if let Err(message) = text::graphql_name(&name, "type_name") {
        errors.push(at(span, message));
    }
    name
}

/// A table that is written, or named by the entity.
pub(super) fn table(
    text: Option<&Text>,
    prefix: &str,
    entity: &str,
    errors: &mut Accumulator,
) -> Table {
    if text.is_some() {
        return checked(text, text::table, errors).unwrap_or_default();
    }
    Table {
        schema: "public".to_owned(),
        name: format!("{prefix}{entity}"),
    }
}

/// The names of tables that were not written but made of the entity's.
pub(super) fn check_default_names(
    input: &DeriveInput,
    container: &ViewAttr,
    entity: &str,
    kind: Kind,
    errors: &mut Accumulator,
) {
    let made = [
        ("table", "tb_", container.table.is_none()),
        (
            "view",
            "tv_",
            container.view.is_none() && kind == Kind::View,
        ),
    ];
    let made: Vec<_> = made.iter().filter(|(_, _, made)| *made).collect();
    let Some((_, prefix, _)) = made.first() else {
        return;
    };
    if let Err(message) = text::identifier(&format!("{prefix}{entity}")) {
        let attributes: Vec<String> = made
            .iter()
            .map(|(attribute, ..)| format!("`{attribute} = \"..\"`"))
            .collect();
        let span = container
            .entity
            .as_ref()
            .map_or(input.ident.span(), Text::span);
        let message = format!("{message}; give another with {}", attributes.join(" and "));
        errors.push(at(span, message));
    }
}

/// Names the promoted columns. One that has the name of a bookkeeping column gets `doc_`
/// before it.
pub(super) fn promoted_columns(fields: &mut [Field], errors: &mut Accumulator) {
    let mut taken: HashMap<String, String> = HashMap::new();
    if let Some(key) = fields.iter().find(|field| field.is_key)
        && let Source::Column(column) = &key.source
    {
        if BOOKKEEPING.contains(&column.as_str()) {
            errors.push(at(
                key.ident.span(),
                format!("the key's column cannot be called `{column}`: every view table has a column of that name; rename it, or choose another key"),
            ));
        }
        taken.insert(column.clone(), key.name.clone());
    }
    for field in fields {
        let Some(promoted) = &mut field.promoted else {
            continue;
        };
        if BOOKKEEPING.contains(&promoted.column.as_str()) {
            promoted.column = format!("doc_{}", promoted.column);
        }
        if let Some(other) = taken.insert(promoted.column.clone(), field.name.clone()) {
            errors.push(at(
                field.ident.span(),
                format!(
                    "`{}` and `{other}` would both be the column `{}` of the view table; mark \
                     one of them with `filter`, `sort` or `unique`",
                    field.name, promoted.column
                ),
            ));
        }
    }
}
