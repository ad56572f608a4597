//! Checks `on`, `using` and `include` of an index: lists of columns of the view table.

use darling::error::Accumulator;

use super::context::Context;
use super::expression::not_a_column;
use crate::attr::{Flag, IndexAttr, StrValue};
use crate::check::error::{error_at, name_list, parsed};
use crate::model::{Field, IndexOn, OrderBy};
use crate::text;

/// The columns of `on`, and the stem of the index's name.
pub(super) fn on(
    args: &IndexAttr,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> (IndexOn, String) {
    let method = method(args, errors);
    let columns = columns(args.on.as_ref(), context, errors);
    let stem: Vec<&str> = columns.iter().map(|term| term.column.as_str()).collect();
    let stem = stem.join("_");
    if let Some(on) = &args.on
        && method != "btree"
    {
        if columns.iter().any(has_order) {
            errors.push(error_at(
                on.span(),
                format!(
                    "a {method} index has no order; write the columns without ASC, DESC and NULLS"
                ),
            ));
        }
        if method == "hash" && columns.len() > 1 {
            errors.push(error_at(
                on.span(),
                "a hash index can have only one column; for several columns remove `using`, for a \
                 btree index",
            ));
        }
        for (option, span) in [
            ("unique", args.unique.map(|Flag(span)| span)),
            ("include", args.include.as_ref().map(StrValue::span)),
        ] {
            if let Some(span) = span {
                errors.push(error_at(
                    span,
                    format!(
                        "`{option}` cannot be combined with `using = \"{method}\"`; it needs a \
                         btree index, the default"
                    ),
                ));
            }
        }
    }
    (IndexOn::Columns { method, columns }, stem)
}

/// The value of `using`. An invalid one is reported, and the index checked as a btree.
fn method(args: &IndexAttr, errors: &mut Accumulator) -> &'static str {
    let Some(using) = &args.using else {
        return "btree";
    };
    match using.value().as_str() {
        "btree" => "btree",
        "brin" => "brin",
        "hash" => "hash",
        "gin" => {
            errors.push(error_at(
                using.span(),
                "a GIN index is on the document: write `index(gin)`, `index(gin = \"tags\")` or \
                 `index(fulltext = \"title\")`",
            ));
            "btree"
        }
        other => {
            errors.push(error_at(
                using.span(),
                format!(
                    "unknown index method `{other}`; it can be \"btree\" (the default), \"brin\" \
                     or \"hash\""
                ),
            ));
            "btree"
        }
    }
}

/// A list of columns, with the names of the view table.
fn columns(
    text: Option<&StrValue>,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> Vec<OrderBy> {
    let Some(text) = text else { return Vec::new() };
    let Some(terms) = parsed(Some(text), text::index_columns, errors) else {
        return Vec::new();
    };
    let mut columns: Vec<OrderBy> = Vec::new();
    for mut term in terms {
        match resolve(&term.column, context) {
            Ok(column) => term.column = column,
            Err(Some(message)) => errors.push(error_at(text.span(), message)),
            Err(None) => {}
        }
        if columns.iter().any(|other| other.column == term.column) {
            errors.push(error_at(
                text.span(),
                format!("the column `{}` is listed twice", term.column),
            ));
        }
        columns.push(term);
    }
    columns
}

/// The columns of `include`.
pub(super) fn include(
    text: Option<&StrValue>,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> Vec<String> {
    let columns = columns(text, context, errors);
    if let Some(text) = text
        && columns.iter().any(has_order)
    {
        errors.push(error_at(
            text.span(),
            "included columns have no order; write only their names",
        ));
    }
    columns.into_iter().map(|term| term.column).collect()
}

fn has_order(term: &OrderBy) -> bool {
    term.descending || term.nulls_first.is_some()
}

/// The column of the view table that a name stands for: the promoted field or the key with this
/// name in Rust, or else the column with this name. The error is `None` if the name may be that
/// of an invalid field, which was reported.
fn resolve(name: &str, context: &Context<'_>) -> Result<String, Option<String>> {
    let columns = || {
        context
            .fields
            .iter()
            .filter_map(|field| match &field.promoted {
                Some(promoted) => Some((field.name.as_str(), promoted.column.clone())),
                None if field.is_key => Some((field.name.as_str(), field.stored_key()?)),
                None => None,
            })
    };
    let found = columns()
        .find(|(field, _)| *field == name)
        .or_else(|| columns().find(|(_, column)| *column == name));
    if let Some((_, column)) = found {
        return Ok(column);
    }
    if context.bookkeeping.contains(&name) {
        return Ok(name.to_owned());
    }
    if !context.complete {
        return Err(None);
    }
    let mut document = context.fields.iter().filter(|field| !field.skipped);
    let field = document.find(|field| field.name == name || field.source_column() == Some(name));
    let names: Vec<String> = columns().map(|(_, column)| column).collect();
    let columns = name_list(
        names
            .iter()
            .map(String::as_str)
            .chain(context.bookkeeping.iter().copied()),
    );
    Err(Some(match field {
        Some(field) => format!("{}; the columns are {columns}", not_a_column(field)),
        None => format!(
            "the view table has no column `{name}`; its columns are {columns}; mark a field with \
             `filter` or `sort` to add its column"
        ),
    }))
}

/// Whether the columns of an index contain the key, which partitions are made by.
pub(super) fn contain_key(on: &IndexOn, context: &Context<'_>) -> bool {
    let key = context.fields.iter().filter(|field| field.is_key);
    let mut key = key.filter_map(Field::stored_key).peekable();
    match on {
        IndexOn::Columns { columns, .. } => {
            key.all(|key| columns.iter().any(|term| term.column == key))
        }
        // A view without a key was reported.
        _ => key.peek().is_none(),
    }
}
