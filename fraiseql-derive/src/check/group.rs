//! Checks `group_by` on a part.

use darling::error::Accumulator;
use proc_macro2::Span;
use syn::Ident;
use syn::spanned::Spanned;

use super::error::{error_at, parsed};
use crate::attr::{PartOnly, StrValue};
use crate::model::{Field, OrderBy, Source};
use crate::text;

/// The columns of the groups.
pub(super) fn columns(own: &PartOnly, errors: &mut Accumulator) -> Vec<String> {
    let Some(group_by) = &own.group_by else {
        return Vec::new();
    };
    if let Some(shape_of) = &own.shape_of {
        errors.push(error_at(
            shape_of.0.span(),
            "`shape_of` cannot be combined with `group_by`: a group is not a row; write `table`",
        ));
    }
    let terms = parsed(Some(group_by), text::order_by, errors).unwrap_or_default();
    let mut columns: Vec<String> = Vec::new();
    for term in terms {
        let OrderBy {
            column,
            descending,
            nulls_first,
        } = term;
        if descending || nulls_first.is_some() {
            errors.push(error_at(
                group_by.span(),
                "`group_by` names columns and no order; write the order of the groups in \
                 `many(order_by = \"..\")`",
            ));
        }
        if columns.contains(&column) {
            errors.push(error_at(
                group_by.span(),
                format!("`{column}` is given twice in `group_by`"),
            ));
            continue;
        }
        columns.push(column);
    }
    columns
}

/// Checks that each field is a column of the groups or an aggregate, and that none is the key.
pub(super) fn check(
    group_by: &StrValue,
    columns: &[String],
    fields: &[Field],
    keys: &[(Ident, Span)],
    errors: &mut Accumulator,
) {
    for (_, span) in keys {
        errors.push(error_at(
            *span,
            "a group of rows has no key: remove `key`, or `group_by` on the struct",
        ));
    }
    // Without columns, there is an error about them.
    let fields = fields.iter().filter(|_| !columns.is_empty());
    for field in fields.filter(|field| !field.skipped) {
        let is_of_group = match &field.source {
            Source::Column(column) => columns.contains(column),
            Source::OfGroup(_) => true,
            _ => false,
        };
        if !is_of_group {
            errors.push(error_at(
                field.ident.span(),
                format!(
                    "`{}` may differ between the rows of a group: a field is a column of \
                     `group_by = \"{}\"`, or an aggregate such as `#[tview(count)]`",
                    field.name,
                    group_by.value()
                ),
            ));
        }
    }
}
