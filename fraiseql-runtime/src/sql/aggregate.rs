//! Aggregates over the rows that refer to a row.

use std::borrow::Cow;

use crate::schema::{Aggregate, Function, Link, Many, Shape};
use crate::sql::text::{column, fragment};

/// Whether two aggregates are over the same rows, and can share a query.
pub(crate) fn same_rows(a: &Aggregate, b: &Aggregate) -> bool {
    (a.table, a.fk, a.key, a.filter) == (b.table, b.fk, b.key, b.filter)
}

/// Whether an aggregate is the number of rows in a list that holds them all.
pub(crate) fn counts_list(aggregate: &Aggregate, many: &Many) -> bool {
    let child = (many.shape)();
    let whole = many.limit.is_none() && many.filter.is_none() && child.filter.is_none();
    let plain = aggregate.function == Function::Count
        && aggregate.expr.is_none()
        && aggregate.filter.is_none();
    whole
        && plain
        && matches!(many.link, Link::ForeignKey(fk) if fk == aggregate.fk)
        && (child.table, many.key) == (aggregate.table, aggregate.key)
}

/// Which rows are aggregated for the row with the alias `row`.
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

/// The aggregate's value, of the field's type.
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
    // sum(int8) is numeric, and avg(int4) too: the column's type decides, not PostgreSQL's.
    match (aggregate.function, aggregate.ty.sql) {
        (Function::Count, "int8") | (Function::Min | Function::Max, _) => value,
        (_, ty) => format!("{value}::{ty}"),
    }
}
