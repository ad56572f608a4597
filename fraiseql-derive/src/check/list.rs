//! Checks the lists of a row: `many(..)`, `first(..)` and `values(..)`.

use darling::Result;
use darling::error::Accumulator;
use proc_macro2::Span;

use super::error::{
    columns_ref, columns_ref_or_none, error_at, fragment, identifier, parsed, row_expr,
};
use crate::attr::{
    FirstAttr, IntValue, ManyAttr, Nested, NestedReceiver, StrValue, ThroughAttr, ValuesAttr,
};
use crate::model::{Link, Many, OrderBy, RowValue, Source, Values};
use crate::text;

pub(super) fn many_source(nested: &Nested<ManyAttr>, errors: &mut Accumulator) -> Result<Source> {
    let args = &nested.args;
    Ok(Source::Many(Many {
        link: link("many", nested.span, &args.fk, &args.through, errors)?,
        limit: args.limit.as_ref().and_then(|number| limit(number, errors)),
        key: args.key.as_ref().map(|key| columns_ref(key, errors)),
        order_by_span: args.order_by.as_ref().map(StrValue::span),
        order_by: parsed(args.order_by.as_ref(), text::order_by, errors).unwrap_or_default(),
        filter: fragment(args.filter.as_ref(), errors),
    }))
}

pub(super) fn first_source(nested: &Nested<FirstAttr>, errors: &mut Accumulator) -> Result<Source> {
    let args = &nested.args;
    let of_link = args.through.as_ref();
    let of_link = of_link.and_then(|through| through.args.order_by.as_ref());
    if args.order_by.is_none() && of_link.is_none() {
        errors.push(error_at(
            nested.span,
            "`first` needs `order_by`, which decides which row is the first: `first(fk = \
             \"post_id\", order_by = \"created_at DESC\")`",
        ));
    }
    Ok(Source::First(Many {
        link: link("first", nested.span, &args.fk, &args.through, errors)?,
        limit: Some(1),
        key: args.key.as_ref().map(|key| columns_ref(key, errors)),
        order_by_span: args.order_by.as_ref().map(StrValue::span),
        order_by: parsed(args.order_by.as_ref(), text::order_by, errors).unwrap_or_default(),
        filter: fragment(args.filter.as_ref(), errors),
    }))
}

pub(super) fn values_source(
    nested: &Nested<ValuesAttr>,
    errors: &mut Accumulator,
) -> Result<Source> {
    let args = &nested.args;
    let mut missing = Vec::new();
    if args.table.is_none() {
        missing.push("`table`, the table of the rows");
    }
    if args.fk.is_none() && args.through.is_none() {
        missing.push("`fk`, their column that refers to this row, or `through`, a join table");
    }
    if args.column.is_none() && args.expr.is_none() {
        missing.push("`column` or `expr`, the value of a row");
    }
    if !missing.is_empty() {
        return Err(error_at(
            nested.span,
            format!(
                "`values` needs {}: `values({})`",
                missing.join(", and "),
                ValuesAttr::example("values")
            ),
        ));
    }
    if let (Some(_), Some(expr)) = (&args.column, &args.expr) {
        errors.push(error_at(
            expr.span(),
            "the value of a row is `column` or `expr`; remove one of them",
        ));
    }
    let value = match &args.expr {
        Some(expr) => {
            if text::begins_with_distinct(&expr.value()) {
                errors.push(error_at(
                    expr.span(),
                    "write the value alone, without DISTINCT, and the flag `distinct` beside it",
                ));
            }
            RowValue::Expr(row_expr(expr, "lower({}.name)", errors))
        }
        None => RowValue::Column(identifier(args.column.as_ref(), errors)),
    };
    let order_by = parsed(args.order_by.as_ref(), text::order_by, errors).unwrap_or_default();
    check_distinct_order(args, &value, &order_by, errors);
    Ok(Source::Values(Values {
        table: parsed(args.table.as_ref(), text::table, errors).unwrap_or_default(),
        link: link("values", nested.span, &args.fk, &args.through, errors)?,
        key: args.key.as_ref().map(|key| columns_ref(key, errors)),
        value,
        distinct: args.distinct.is_some(),
        order_by,
        limit: args.limit.as_ref().and_then(|number| limit(number, errors)),
        filter: fragment(args.filter.as_ref(), errors),
    }))
}

/// Checks that different values are ordered by themselves: several rows have the same value, and
/// another column of each.
fn check_distinct_order(
    args: &ValuesAttr,
    value: &RowValue,
    order_by: &[OrderBy],
    errors: &mut Accumulator,
) {
    if args.distinct.is_none() {
        return;
    }
    let of_link = args.through.as_ref();
    if let Some(text) = of_link.and_then(|through| through.args.order_by.as_ref()) {
        errors.push(error_at(
            text.span(),
            "with `distinct`, the order can only be that of the value, because several rows have it: \
             remove `order_by` or `distinct`",
        ));
    }
    let Some(text) = &args.order_by else {
        return;
    };
    let message = match (value, order_by) {
        (RowValue::Column(column), [term]) if term.column == *column => return,
        // An error of its own.
        (_, []) => return,
        (RowValue::Column(column), _) => format!(
            "with `distinct`, the order can only be that of the value, because several rows have \
             it: write `order_by = \"{column}\"` or `order_by = \"{column} DESC\"`, or remove \
             `distinct`"
        ),
        (RowValue::Expr(_), _) => "with `distinct`, the order can only be that of the value, \
                                   because several rows have it: remove `order_by` or `distinct`"
            .to_owned(),
    };
    errors.push(error_at(text.span(), message));
}

/// How the rows of a list refer to this row. `name` is the attribute of the list.
fn link(
    name: &str,
    span: Span,
    fk: &Option<StrValue>,
    through: &Option<Nested<ThroughAttr>>,
    errors: &mut Accumulator,
) -> Result<Link> {
    match (fk, through) {
        (Some(fk), None) => Ok(Link::ForeignKey(columns_ref(fk, errors))),
        (None, Some(through)) => self::through(through, errors),
        (Some(fk), Some(_)) => Err(error_at(
            fk.span(),
            "`fk` cannot be combined with `through`, which has an `fk` of its own",
        )),
        (None, None) => Err(error_at(
            span,
            format!(
                "`{name}` needs the column of the other table that refers to this row: \
                 `{name}(fk = \"post_id\")`, or a join table: `{name}(through(table = \
                 \"tb_post_tag\", fk = \"post_id\", to = \"tag_id\"))`"
            ),
        )),
    }
}

fn through(nested: &Nested<ThroughAttr>, errors: &mut Accumulator) -> Result<Link> {
    let args = &nested.args;
    let missing = [("table", &args.table), ("fk", &args.fk), ("to", &args.to)]
        .into_iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| format!("`{name}`"))
        .collect::<Vec<_>>();
    if !missing.is_empty() {
        return Err(error_at(
            nested.span,
            format!(
                "`through` needs {}: write the join table, its column that refers to this row, \
                 and its column that refers to the other row: `through({})`",
                missing.join(" and "),
                ThroughAttr::example("through")
            ),
        ));
    }
    Ok(Link::Through {
        table: parsed(args.table.as_ref(), text::table, errors).unwrap_or_default(),
        fk: columns_ref_or_none(args.fk.as_ref(), errors),
        to: columns_ref_or_none(args.to.as_ref(), errors),
        key: args.key.as_ref().map(|key| columns_ref(key, errors)),
        order_by: parsed(args.order_by.as_ref(), text::order_by, errors).unwrap_or_default(),
        span: nested.span,
    })
}

fn limit(IntValue(number): &IntValue, errors: &mut Accumulator) -> Option<u64> {
    match number.base10_parse::<u64>() {
        Ok(limit) if limit > 0 && i64::try_from(limit).is_ok() => Some(limit),
        _ => {
            errors.push(error_at(
                number.span(),
                format!(
                    "`limit` must be a whole number from 1 to {}; without it, the list has every \
                     row",
                    i64::MAX
                ),
            ));
            None
        }
    }
}
