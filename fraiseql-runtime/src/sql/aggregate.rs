//! SQL expressions of aggregates over the rows that refer to a row.

use crate::schema::scalar::JsonEncoding;
use crate::schema::{Aggregate, Function, Link, Many, Shape};
use crate::sql::fragment::{Token, fragment, tokens};
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
    let name = match aggregate.function {
        Function::Count | Function::Exists => "count",
        Function::Sum => "sum",
        Function::Avg => "avg",
        Function::Min => "min",
        Function::Max => "max",
    };
    let argument = aggregate
        .expr
        .map_or_else(|| "*".to_owned(), |expr| argument(aggregate, expr, inner));
    let call = format!("pg_catalog.{name}({argument})");
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

/// How the result of an aggregate is made independent of the order of its rows, which an update
/// changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowOrder {
    /// It is independent already.
    Free,
    /// Floats are added in the order of their values: another order yields another last digit.
    Values,
    /// Floats are converted to numeric, whose sum is exact.
    Exact,
    /// Of equal numbers, such as 1.0 and 1.00, always the same one is the largest.
    Scale,
    /// Of texts that a collation calls equal, always the same one is the largest.
    Bytes,
}

impl RowOrder {
    pub(crate) fn of(aggregate: &Aggregate) -> Self {
        use Function::{Avg, Count, Exists, Max, Min, Sum};
        let Some(expr) = aggregate.expr else {
            return Self::Free;
        };
        // DISTINCT sorts, and who has written an ORDER BY has decided.
        let is_ordered = tokens(expr).iter().any(|token| match token {
            Token::Word(word) => ["distinct", "order"]
                .iter()
                .any(|keyword| word.eq_ignore_ascii_case(keyword)),
            _ => false,
        });
        if is_ordered || aggregate.ty.list.is_some() {
            return Self::Free;
        }
        match (aggregate.function, aggregate.ty.encoding) {
            (Sum | Avg, JsonEncoding::Float) => Self::Values,
            (Sum | Avg, JsonEncoding::Decimal) => Self::Exact,
            (Min | Max, JsonEncoding::Decimal) => Self::Scale,
            (Min | Max, JsonEncoding::Native) if aggregate.ty.sql == "text" => Self::Bytes,
            (Sum | Avg | Min | Max | Count | Exists, _) => Self::Free,
        }
    }
}

fn argument(aggregate: &Aggregate, expr: &str, inner: &str) -> String {
    let expr = fragment(expr, inner);
    match RowOrder::of(aggregate) {
        RowOrder::Free => expr,
        RowOrder::Values => format!("{expr} ORDER BY {expr}"),
        RowOrder::Exact => format!("({expr})::numeric"),
        RowOrder::Scale => format!("{expr} ORDER BY pg_catalog.scale(({expr})::numeric)"),
        RowOrder::Bytes => format!("{expr} ORDER BY ({expr})::text COLLATE \"C\""),
    }
}
