//! Checks the source of a field's value: the column of the row, an expression over it, other rows,
//! or an aggregate of them.

use darling::Result;
use darling::error::Accumulator;
use proc_macro2::Span;

use super::aggregate::{aggregate_source, group_source};
use super::error::{columns_ref, error_at, identifier, row_expr};
use super::list::{first_source, many_source, values_source};
use crate::attr::{AggregateAttr, FieldAttr, FieldFlag, Nested, OneAttr};
use crate::model::Source;

/// The attributes that name a source other than a column, with their spans.
pub(crate) fn sources(attr: &FieldAttr) -> Vec<(&'static str, Span)> {
    let mut sources = Vec::new();
    if let Some(expr) = &attr.expr {
        sources.push(("expr", expr.span()));
    }
    if let Some(FieldFlag(span)) = attr.global_id {
        sources.push(("global_id", span));
    }
    if let Some(through) = &attr.through {
        sources.push(("through", through.span()));
    }
    if let Some(one) = &attr.one {
        sources.push(("one", one.span));
    }
    if let Some(many) = &attr.many {
        sources.push(("many", many.span));
    }
    if let Some(first) = &attr.first {
        sources.push(("first", first.span));
    }
    if let Some(values) = &attr.values {
        sources.push(("values", values.span));
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
///
/// `grouped` is whether the struct is a group of rows.
pub(super) fn source(
    attr: &FieldAttr,
    column: String,
    grouped: bool,
    errors: &mut Accumulator,
) -> Result<Source> {
    if let Some(expr) = &attr.expr {
        return Ok(Source::Expr(row_expr(expr, "lower({}.title)", errors)));
    }
    if attr.global_id.is_some() {
        return Ok(Source::GlobalId);
    }
    if let Some(through) = &attr.through {
        return Ok(Source::Through(identifier(Some(through), errors)));
    }
    if let Some(one) = &attr.one {
        return one_source(one, errors);
    }
    if let Some(many) = &attr.many {
        return many_source(many, errors);
    }
    if let Some(first) = &attr.first {
        return first_source(first, errors);
    }
    if let Some(values) = &attr.values {
        return values_source(values, errors);
    }
    for (function, aggregate) in aggregates(attr) {
        if let Some(aggregate) = aggregate {
            return match grouped {
                true => group_source(function, aggregate, errors),
                false => aggregate_source(function, aggregate, errors),
            };
        }
    }
    Ok(Source::Column(column))
}
fn one_source(nested: &Nested<OneAttr>, errors: &mut Accumulator) -> Result<Source> {
    let args = &nested.args;
    let key = args.key.as_ref().map(|key| columns_ref(key, errors));
    let Some(fk) = &args.fk else {
        return Err(error_at(
            nested.span,
            "`one` needs the column that refers to the other row: `one(fk = \"author_id\")`",
        ));
    };
    Ok(Source::One {
        fk: columns_ref(fk, errors),
        key,
    })
}
