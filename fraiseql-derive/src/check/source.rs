//! Checks the source of a field's value: the column of the row, an expression over it, other rows,
//! or an aggregate of them.

use darling::Result;
use darling::error::Accumulator;
use proc_macro2::Span;

use super::error::{column_ref, error_at, fragment, identifier, parsed};
use crate::attr::{
    AggregateAttr, FieldAttr, IntValue, ManyAttr, Nested, NestedReceiver, OneAttr, StrValue,
    ThroughAttr,
};
use crate::model::{Aggregate, Link, Many, Source};
use crate::text;

/// The attributes that name a source other than a column, with their spans.
pub(crate) fn sources(attr: &FieldAttr) -> Vec<(&'static str, Span)> {
    let mut sources = Vec::new();
    if let Some(expr) = &attr.expr {
        sources.push(("expr", expr.span()));
    }
    if let Some(one) = &attr.one {
        sources.push(("one", one.span));
    }
    if let Some(many) = &attr.many {
        sources.push(("many", many.span));
    }
    for (name, aggregate) in aggregates(attr) {
        if let Some(aggregate) = aggregate {
            sources.push((name, aggregate.span));
        }
    }
    sources
}

fn aggregates(attr: &FieldAttr) -> [(&'static str, Option<&Nested<AggregateAttr>>); 6] {
    [
        ("count", attr.count.as_ref()),
        ("sum", attr.sum.as_ref()),
        ("avg", attr.avg.as_ref()),
        ("min", attr.min.as_ref()),
        ("max", attr.max.as_ref()),
        ("exists", attr.exists.as_ref()),
    ]
}

/// The source of a field.
pub(super) fn source(attr: &FieldAttr, column: String, errors: &mut Accumulator) -> Result<Source> {
    if let Some(expr) = &attr.expr {
        let sql = fragment(Some(expr), errors);
        // The statement joins other tables beside the row's, and a bare name is also resolved
        // in those: to the wrong column, or as ambiguous.
        if sql.as_ref().is_some_and(|sql| !sql.contains("{}")) {
            errors.push(error_at(
                expr.span(),
                "write `{}` for the row, as in `expr = \"lower({}.title)\"`: a column without it \
                 could be read from another table",
            ));
        }
        return Ok(Source::Expr(sql.unwrap_or_default()));
    }
    if let Some(one) = &attr.one {
        return one_source(one, errors);
    }
    if let Some(many) = &attr.many {
        return many_source(many, errors);
    }
    for (function, aggregate) in aggregates(attr) {
        if let Some(aggregate) = aggregate {
            return aggregate_source(function, aggregate, errors);
        }
    }
    Ok(Source::Column(column))
}

fn one_source(nested: &Nested<OneAttr>, errors: &mut Accumulator) -> Result<Source> {
    let args = &nested.args;
    let key = args.key.as_ref().map(|key| column_ref(key, errors));
    let Some(fk) = &args.fk else {
        return Err(error_at(
            nested.span,
            "`one` needs the column that refers to the other row: `one(fk = \"author_id\")`",
        ));
    };
    Ok(Source::One {
        fk: column_ref(fk, errors),
        key,
    })
}

fn many_source(nested: &Nested<ManyAttr>, errors: &mut Accumulator) -> Result<Source> {
    let args = &nested.args;
    Ok(Source::Many(Many {
        link: link(nested, errors)?,
        limit: args.limit.as_ref().and_then(|number| limit(number, errors)),
        key: args.key.as_ref().map(|key| column_ref(key, errors)),
        order_by_span: args.order_by.as_ref().map(StrValue::span),
        order_by: parsed(args.order_by.as_ref(), text::order_by, errors).unwrap_or_default(),
        filter: fragment(args.filter.as_ref(), errors),
    }))
}

/// How the rows of a list refer to this row.
fn link(nested: &Nested<ManyAttr>, errors: &mut Accumulator) -> Result<Link> {
    match (&nested.args.fk, &nested.args.through) {
        (Some(fk), None) => Ok(Link::ForeignKey(column_ref(fk, errors))),
        (None, Some(through)) => self::through(through, errors),
        (Some(fk), Some(_)) => Err(error_at(
            fk.span(),
            "`fk` cannot be combined with `through`, which has an `fk` of its own",
        )),
        (None, None) => Err(error_at(
            nested.span,
            "`many` needs the column of the other table that refers to this row: `many(fk = \
             \"post_id\")`, or a join table: `many(through(table = \"tb_post_tag\", fk = \
             \"post_id\", to = \"tag_id\"))`",
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
        fk: identifier(args.fk.as_ref(), errors),
        to: identifier(args.to.as_ref(), errors),
        key: args.key.as_ref().map(|key| column_ref(key, errors)),
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

fn aggregate_source(
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
    Ok(Source::Aggregate(Aggregate {
        function,
        table: parsed(args.table.as_ref(), text::table, errors).unwrap_or_default(),
        fk: identifier(args.fk.as_ref(), errors),
        key: args.key.as_ref().map(|key| column_ref(key, errors)),
        expr: fragment(args.expr.as_ref(), errors),
        filter: fragment(args.filter.as_ref(), errors),
    }))
}
