//! SQL expressions of aggregates over the rows that refer to a row.

use std::borrow::Cow;

use crate::schema::{Aggregate, Function, Link, Many, Shape};
use crate::sql::fragment::fragment;
use crate::sql::text::column;

/// Whether two aggregates are computed from the same rows, and so can share a sub-select.
pub(crate) fn same_rows(a: &Aggregate, b: &Aggregate) -> bool {
    (a.table, a.fk, a.key, a.filter) == (b.table, b.fk, b.key, b.filter)
}

/// Whether an aggregate is the length of a list, which then has all rows that it counts.
pub(crate) fn counts_list(aggregate: &Aggregate, many: &Many) -> bool {
    let child = (many.shape)();
    let is_complete = many.limit.is_none() && many.filter.is_none() && child.filter.is_none();
    let is_plain_count = aggregate.function == Function::Count
        && aggregate.expr.is_none()
        && aggregate.filter.is_none();
    is_complete
        && is_plain_count
        && matches!(many.link, Link::ForeignKey(fk) if fk == aggregate.fk)
        && (child.table, many.key) == (aggregate.table, aggregate.key)
}

/// The conditions that select the rows `inner` to aggregate for the row `row`; both are aliases.
pub(crate) fn conditions(
    aggregate: &Aggregate,
    shape: &Shape,
    row: &str,
    inner: &str,
) -> Vec<String> {
    let key = aggregate.key.unwrap_or(shape.key_column());
    let mut conditions = vec![format!(
        "{} = {}",
        column(inner, aggregate.fk),
        column(row, key)
    )];
    if let Some(filter) = aggregate.filter {
        conditions.push(format!("({})", fragment(filter, inner)));
    }
    conditions
}

/// The value of an aggregate, cast to the type of the field.
pub(crate) fn value(aggregate: &Aggregate, inner: &str) -> String {
    let expr = aggregate.expr.map(|expr| fragment(expr, inner));
    let name = match aggregate.function {
        Function::Count | Function::Exists => "count",
        Function::Sum => "sum",
        Function::Avg => "avg",
        Function::Min => "min",
        Function::Max => "max",
    };
    let call = format!(
        "pg_catalog.{name}({})",
        expr.map_or(Cow::Borrowed("*"), Cow::Owned)
    );
    let value = if aggregate.function == Function::Sum && !aggregate.ty.nullable {
        format!("coalesce({call}, 0)")
    } else {
        call
    };
    // sum(int8) and avg(int4) are numeric in PostgreSQL, so a cast is needed; count is int8, and
    // min and max have the type of their argument.
    match (aggregate.function, aggregate.ty.sql) {
        (Function::Count, "int8") | (Function::Min | Function::Max, _) => value,
        (_, ty) => format!("{value}::{ty}"),
    }
}
