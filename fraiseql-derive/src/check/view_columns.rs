//! The names of columns of the view table, in `on` and `include` of an index.

use darling::error::Accumulator;

use super::error::{at, checked};
use super::index::Context;
use super::view_sql;
use crate::attr::Text;
use crate::model::{Field, IndexOn, OrderBy};
use crate::text;

/// Columns of the view table in an order.
pub(super) fn columns(
    text: Option<&Text>,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> Vec<OrderBy> {
    let Some(text) = text else { return Vec::new() };
    let Some(terms) = checked(Some(text), index_order, errors) else {
        return Vec::new();
    };
    let mut columns: Vec<OrderBy> = Vec::new();
    for mut term in terms {
        match column(&term.column, context) {
            Ok(column) => term.column = column,
            Err(Some(message)) => errors.push(at(text.span(), message)),
            Err(None) => {}
        }
        if columns.iter().any(|other| other.column == term.column) {
            errors.push(at(
                text.span(),
                format!("the column `{}` is there twice", term.column),
            ));
        }
        columns.push(term);
    }
    columns
}

fn index_order(text: &str) -> Result<Vec<OrderBy>, String> {
    text::order_by(text).map_err(|message| {
        message.replace(
            "An expression can be a field with `expr`, or a generated column of the table",
            "An expression is `index(expr = \"..\")`",
        )
    })
}

pub(super) fn include(
    text: Option<&Text>,
    context: &Context<'_>,
    errors: &mut Accumulator,
) -> Vec<String> {
    let columns = columns(text, context, errors);
    if let Some(text) = text
        && columns
            .iter()
            .any(|term| term.descending || term.nulls_first.is_some())
    {
        errors.push(at(
            text.span(),
            "columns that are included have no order; write their names alone",
        ));
    }
    columns.into_iter().map(|term| term.column).collect()
}

/// The column of the view table that a name means: a promoted field by its name in Rust, or a
/// column by its own. Nothing is said where the field may be one with errors.
fn column(name: &str, context: &Context<'_>) -> Result<String, Option<String>> {
    let columns = || {
        context
            .fields
            .iter()
            .filter_map(|field| match &field.promoted {
                Some(promoted) => Some((field.name.as_str(), promoted.column.as_str())),
                None if field.is_key => Some((field.name.as_str(), field.source_column()?)),
                None => None,
            })
    };
    let found = columns()
        .find(|(field, _)| *field == name)
        .or_else(|| columns().find(|(_, column)| *column == name));
    if let Some((_, column)) = found {
        return Ok(column.to_owned());
    }
    if name == "updated_at" || name == "version" {
        return Ok(name.to_owned());
    }
    if !context.complete {
        return Err(None);
    }
    let fields = || context.fields.iter().filter(|field| !field.skipped);
    let field = fields().find(|field| field.name == name || field.source_column() == Some(name));
    let columns = list(
        columns()
            .map(|(_, column)| column)
            .chain(["updated_at", "version"]),
    );
    Err(Some(match field {
        Some(field) => format!(
            "{}; the columns are {columns}",
            view_sql::not_a_column(field)
        ),
        None => format!(
            "the view table has no column `{name}`; there are {columns}, and each field marked \
             with `filter` or `sort` is one more"
        ),
    }))
}

pub(super) fn contains_key(on: &IndexOn, context: &Context<'_>) -> bool {
    let key = context.fields.iter().find(|field| field.is_key);
    match (on, key.and_then(Field::source_column)) {
        (IndexOn::Columns { columns, .. }, Some(key)) => {
            columns.iter().any(|term| term.column == key)
        }
        // Without a key there was an error.
        (_, key) => key.is_none(),
    }
}

/// "`a` and `b`".
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    }
}
