//! SQL expressions of lists of scalars: the value of a row, and the order of the rows.

use crate::schema::scalar::{Enum, JsonEncoding};
use crate::schema::{Link, RowValue, Values};
use crate::sql::enums::place_of_label;
use crate::sql::fragment::fragment;
use crate::sql::text::{column, direction_and_nulls};

/// The value of the row `row`, which is an alias.
pub(crate) fn value(values: &Values, row: &str) -> String {
    match values.value {
        RowValue::Column(name) => column(row, name),
        RowValue::Expr(expr) => format!("({})", fragment(expr, row)),
    }
}

/// The enum that is the type of the values, if they are those of this column.
pub(crate) fn enum_of(values: &Values, name: &str) -> Option<&'static Enum> {
    match (values.value, values.ty.encoding) {
        (RowValue::Column(column), JsonEncoding::Enum(table)) if column == name => Some(table),
        _ => None,
    }
}

/// The terms of ORDER BY and, if there are any, of DISTINCT ON.
pub(crate) struct ValuesOrder {
    pub(crate) distinct_on: Option<String>,
    pub(crate) terms: Vec<String>,
}

/// The order of the rows `row` and of those of a join table, which are aliases. It is total as far as values differ: documents are deterministic.
///
/// Equal values may have different texts, such as 1.0 and 1.00, or two spellings in a collation that
/// ignores case. The text is the last term, and so of equal values always the same one is kept.
pub(crate) fn order(values: &Values, row: &str, through: Option<&str>) -> ValuesOrder {
    let value = value(values, row);
    // The type json has no order.
    let (compared, by_text) = match (values.ty.encoding, values.ty.sql) {
        (JsonEncoding::Enum(table), _) => (place_of_label(&value, table), true),
        (_, "jsonb") => (format!("{value}::jsonb"), true),
        (encoding, sql) => {
            let by_text = encoding == JsonEncoding::Decimal || sql == "text";
            (value.clone(), by_text)
        }
    };
    let mut terms: Vec<String> = Vec::new();
    if let (Link::Through { order_by, .. }, Some(through)) = (&values.link, through) {
        let of_link = order_by.iter();
        terms.extend(of_link.map(|term| {
            let name = column(through, term.column);
            format!("{name}{}", direction_and_nulls(term))
        }));
    }
    let mut is_by_value = false;
    for term in values.order_by {
        let is_value = matches!(values.value, RowValue::Column(name) if name == term.column);
        is_by_value |= is_value;
        let expr = match is_value {
            true => compared.clone(),
            false => column(row, term.column),
        };
        terms.push(format!("{expr}{}", direction_and_nulls(term)));
    }
    if !is_by_value {
        terms.push(compared.clone());
    }
    if by_text {
        terms.push(format!("{value}::text COLLATE \"C\""));
    }
    ValuesOrder {
        distinct_on: values.distinct.then_some(compared),
        terms,
    }
}
