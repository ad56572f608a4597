//! Checks aggregates: of the rows that refer to a row, and of the rows of a group.

use darling::Result;
use darling::error::Accumulator;

use super::error::{columns_ref, columns_ref_or_none, error_at, fragment, parsed};
use crate::attr::{AggregateAttr, BetweenAttr, Flag, Nested, NestedReceiver, StrValue};
use crate::model::{Aggregate, Between, ColumnsRef, Source, Table};
use crate::text;

pub(super) fn aggregate_source(
    function: &'static str,
    nested: &Nested<AggregateAttr>,
    errors: &mut Accumulator,
) -> Result<Source> {
    let args = &nested.args;
    let needs_expr = matches!(function, "sum" | "avg" | "min" | "max");
    let mut missing = Vec::new();
    if args.table.is_none() {
        missing.push("`table`, the table of the rows");
    }
    if args.fk.is_none() {
        missing.push("`fk`, their column that refers to this row");
    }
    if needs_expr && args.expr.is_none() {
        missing.push("`expr`, the value to aggregate");
    }
    if !missing.is_empty() {
        let example = AggregateAttr::example(function);
        return Err(error_at(
            nested.span,
            format!(
                "`{function}` needs {}: `{function}({example})`",
                missing.join(", and ")
            ),
        ));
    }
    if function == "exists"
        && let Some(expr) = &args.expr
    {
        errors.push(error_at(
            expr.span(),
            "`exists` takes no `expr`; for a condition on the rows write `filter = \"..\"`",
        ));
    }
    check_distinct(function, args, errors);
    let through = args.through.as_ref();
    Ok(Source::Aggregate(Aggregate {
        function,
        table: parsed(args.table.as_ref(), text::table, errors).unwrap_or_default(),
        fk: columns_ref_or_none(args.fk.as_ref(), errors),
        key: args.key.as_ref().map(|key| columns_ref(key, errors)),
        expr: fragment(args.expr.as_ref(), errors),
        distinct: args.distinct.is_some(),
        filter: fragment(args.filter.as_ref(), errors),
        through: through
            .map(|through| between(function, through, errors))
            .transpose()?,
    }))
}

/// An aggregate of the rows of a group, which are those of the part.
pub(super) fn group_source(
    function: &'static str,
    nested: &Nested<AggregateAttr>,
    errors: &mut Accumulator,
) -> Result<Source> {
    let args = &nested.args;
    if function == "exists" {
        return Err(error_at(
            nested.span,
            "`exists` is always true in a part with `group_by`: a group has at least one row",
        ));
    }
    let of_other_rows = [
        ("table", args.table.as_ref().map(StrValue::span)),
        ("fk", args.fk.as_ref().map(StrValue::span)),
        ("key", args.key.as_ref().map(StrValue::span)),
        ("through", args.through.as_ref().map(|through| through.span)),
    ];
    for (name, span) in of_other_rows {
        if let Some(span) = span {
            errors.push(error_at(
                span,
                format!(
                    "in a part with `group_by`, `{function}` is an aggregate of the rows of the \
                     group: remove `{name}`"
                ),
            ));
        }
    }
    if function != "count" && args.expr.is_none() {
        return Err(error_at(
            nested.span,
            format!(
                "`{function}` needs `expr`, the value to aggregate: `{function}(expr = \
                 \"{{}}.hours\")`"
            ),
        ));
    }
    check_distinct(function, args, errors);
    Ok(Source::OfGroup(Aggregate {
        function,
        table: Table::default(),
        fk: ColumnsRef::none(),
        key: None,
        expr: fragment(args.expr.as_ref(), errors),
        distinct: args.distinct.is_some(),
        filter: fragment(args.filter.as_ref(), errors),
        through: None,
    }))
}

/// The rows between a row and those of its aggregate.
fn between(
    function: &str,
    nested: &Nested<BetweenAttr>,
    errors: &mut Accumulator,
) -> Result<Between> {
    let args = &nested.args;
    let mut missing = Vec::new();
    if args.table.is_none() {
        missing.push("`table`, the table of the rows between");
    }
    if args.fk.is_none() {
        missing.push("`fk`, their column that refers to this row");
    }
    if !missing.is_empty() {
        return Err(error_at(
            nested.span,
            format!(
                "`through` in `{function}` needs {}: `through({})`",
                missing.join(", and "),
                BetweenAttr::example("through")
            ),
        ));
    }
    Ok(Between {
        table: parsed(args.table.as_ref(), text::table, errors).unwrap_or_default(),
        fk: columns_ref_or_none(args.fk.as_ref(), errors),
        key: match &args.key {
            Some(key) => columns_ref(key, errors),
            None => ColumnsRef::id(nested.span),
        },
        filter: fragment(args.filter.as_ref(), errors),
    })
}

/// Checks `distinct` in an aggregate.
fn check_distinct(function: &str, args: &AggregateAttr, errors: &mut Accumulator) {
    let Some(Flag(span)) = args.distinct else {
        return;
    };
    if matches!(function, "min" | "max" | "exists") {
        errors.push(error_at(
            span,
            format!(
                "`distinct` does not change the result of `{function}`: remove it; it is for \
                 `count`, `sum` and `avg`"
            ),
        ));
        return;
    }
    match &args.expr {
        Some(expr) if text::begins_with_distinct(&expr.value()) => errors.push(error_at(
            expr.span(),
            "`distinct` is given already: write the value alone, without DISTINCT",
        )),
        Some(_) => {}
        // Only of `count`: the others need `expr`, which is reported.
        None if function == "count" => errors.push(error_at(
            span,
            "`distinct` needs `expr`, the value of which equal ones count once: `count(table = \
             \"tb_comment\", fk = \"post_id\", expr = \"{}.author_id\", distinct)`",
        )),
        None => {}
    }
}
