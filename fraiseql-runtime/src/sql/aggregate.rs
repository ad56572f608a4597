//! SQL expressions of aggregates over the rows that refer to a row.

use crate::schema::scalar::JsonEncoding;
use crate::schema::{Aggregate, Function, Link, Many, Shape};
use crate::sql::fragment::{Token, fragment, tokens};
use crate::sql::row_key::{columns_of, same_columns, tuple_of};
use crate::sql::text::column;

/// Whether two aggregates are computed from the same rows, and so can share a sub-select.
pub(crate) fn same_rows(a: &Aggregate, b: &Aggregate) -> bool {
    let between = |one: &Aggregate| {
        let rows = one.through?;
        Some((rows.table, rows.fk, rows.key, rows.filter))
    };
    (a.table, a.fk, a.key, a.filter, between(a)) == (b.table, b.fk, b.key, b.filter, between(b))
}

/// Whether an aggregate is the length of a list, which then has all rows that it counts.
pub(crate) fn counts_list(aggregate: &Aggregate, many: &Many) -> bool {
    let child = many.shape.get();
    let is_complete = many.limit.is_none()
        && many.filter.is_none()
        && child.filter.is_none()
        && child.group_by.is_empty();
    let is_plain_count = aggregate.function == Function::Count
        && aggregate.expr.is_none()
        && aggregate.filter.is_none()
        && aggregate.through.is_none();
    is_complete
        && is_plain_count
        && matches!(many.link, Link::ForeignKey(fk) if fk == aggregate.fk)
        && (child.table, many.key) == (aggregate.table, aggregate.key)
}

/// The conditions that select the rows `inner` to aggregate for the row `row`; these and `between` are
/// aliases.
///
/// The rows between are in a sub-select and not joined: an unqualified name in a fragment could also be
/// a column of theirs, and a row that refers to two of them counts once. As an array, their keys are
/// searched in the index of the foreign key.
pub(crate) fn conditions(
    aggregate: &Aggregate,
    shape: &Shape,
    row: &str,
    inner: &str,
    between: &str,
) -> Vec<String> {
    let key = aggregate.key.unwrap_or(shape.key_columns());
    let fk = aggregate.fk;
    let mut conditions = vec![match aggregate.through {
        None => same_columns(inner, fk, row, key),
        Some(rows) => {
            let filter = rows
                .filter
                .map(|filter| format!(" AND ({})", fragment(filter, between)));
            let keys = format!(
                "SELECT {} FROM {} AS {between} WHERE {}{}",
                columns_of(between, rows.key),
                rows.table,
                same_columns(between, rows.fk, row, key),
                filter.unwrap_or_default()
            );
            match fk.single() {
                Some(name) => format!("{} = ANY (ARRAY({keys}))", column(inner, name)),
                None => format!("{} IN ({keys})", tuple_of(inner, fk)),
            }
        }
    }];
    if let Some(filter) = aggregate.filter {
        conditions.push(format!("({})", fragment(filter, inner)));
    }
    conditions
}

/// The value of an aggregate, cast to the type of the field. The rows were selected.
pub(crate) fn value(aggregate: &Aggregate, inner: &str) -> String {
    cast(aggregate, inner, "")
}

/// The value of an aggregate of some rows of a group.
pub(crate) fn of_group(aggregate: &Aggregate, inner: &str) -> String {
    let filter = aggregate.filter.map(|filter| {
        let filter = fragment(filter, inner);
        format!(" FILTER (WHERE ({filter}))")
    });
    cast(aggregate, inner, &filter.unwrap_or_default())
}

/// `filter` is that of each call.
fn cast(aggregate: &Aggregate, inner: &str, filter: &str) -> String {
    let name = match aggregate.function {
        Function::Count | Function::Exists => "count",
        Function::Sum => "sum",
        Function::Avg => "avg",
        Function::Min => "min",
        Function::Max => "max",
    };
    let call = match aggregate.expr {
        Some(expr) if RowOrder::of(aggregate) == RowOrder::MaxScale => {
            of_distinct_decimals(aggregate.function, &fragment(expr, inner), filter)
        }
        Some(expr) => {
            let argument = argument(aggregate, expr, inner);
            format!("pg_catalog.{name}({argument}){filter}")
        }
        None => format!("pg_catalog.{name}(*){filter}"),
    };
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
    /// Of equal numbers with `distinct`, one is summed, and the sum has its scale: it gets the largest
    /// scale of all.
    MaxScale,
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
            (Sum | Avg, JsonEncoding::Decimal) if aggregate.distinct => Self::MaxScale,
            // DISTINCT sorts the values.
            (Sum | Avg, _) if aggregate.distinct => Self::Free,
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
    if aggregate.distinct {
        return format!("DISTINCT {expr}");
    }
    match RowOrder::of(aggregate) {
        RowOrder::Free | RowOrder::MaxScale => expr,
        RowOrder::Values => format!("{expr} ORDER BY {expr}"),
        RowOrder::Exact => format!("({expr})::numeric"),
        RowOrder::Scale => format!("{expr} ORDER BY pg_catalog.scale(({expr})::numeric)"),
        RowOrder::Bytes => format!("{expr} ORDER BY ({expr})::text COLLATE \"C\""),
    }
}

/// The sum or the mean of distinct numbers. Which one of 1.0 and 1.00 is summed depends on the order of
/// the rows, and so would the number of digits.
fn of_distinct_decimals(function: Function, expr: &str, filter: &str) -> String {
    let sum = format!("pg_catalog.sum(DISTINCT {expr}){filter}");
    let sum = format!("({sum})::numeric");
    // The scale of NaN is null.
    let scale = format!("pg_catalog.max(pg_catalog.scale(({expr})::numeric)){filter}");
    let scale = format!("coalesce({scale}, 0)");
    let sum = format!("pg_catalog.round({sum}, {scale})");
    match function {
        Function::Avg => format!("({sum} / nullif(pg_catalog.count(DISTINCT {expr}){filter}, 0))"),
        _ => sum,
    }
}
