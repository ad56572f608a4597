//! Properties of fields in the form in which they are compared, and in messages.

use crate::const_check::message::Message;
use crate::schema::scalar::{ElementNull, ScalarType};
use crate::schema::{Function, Link, OrderBy, RowValue, Source};

/// The column and the expression of a value, of which it has one.
pub(super) const fn column_and_expr(
    value: RowValue,
) -> (Option<&'static str>, Option<&'static str>) {
    match value {
        RowValue::Column(column) => (Some(column), None),
        RowValue::Expr(expr) => (None, Some(expr)),
    }
}

/// The order that a link gives the rows.
pub(super) const fn order_of_link(link: &Link) -> &'static [OrderBy] {
    match link {
        Link::ForeignKey(_) => &[],
        Link::Through { order_by, .. } => order_by,
    }
}

/// Whether nulls are first. By default PostgreSQL sorts them as larger than all values.
pub(super) const fn nulls_first(term: &OrderBy) -> bool {
    match term.nulls_first {
        Some(first) => first,
        None => term.descending,
    }
}

/// Appends `` `fk = "author_id"` ``, or `` no `fk` ``.
pub(super) const fn push_attribute(
    message: Message,
    attribute: &str,
    value: Option<&[&str]>,
) -> Message {
    match value {
        Some(value) => message
            .push("`")
            .push(attribute)
            .push(" = \"")
            .names(value)
            .push("\"`"),
        None => message.push("no ").code(attribute),
    }
}

/// Appends the name of a PostgreSQL type.
pub(super) const fn push_type(message: Message, ty: ScalarType) -> Message {
    let message = message.push(ty.sql);
    match elements(ty) {
        0 => message,
        1 => message.push("[]"),
        _ => message.push("[] with nulls"),
    }
}

/// 0 for a single value, 1 for a list, 2 for a list with nullable elements.
pub(super) const fn elements(ty: ScalarType) -> u8 {
    match ty.list {
        None => 0,
        Some(ElementNull::No) => 1,
        Some(ElementNull::Yes) => 2,
    }
}

/// The attribute that a source comes from, for messages.
pub(super) const fn attribute_of(source: &Source) -> &'static str {
    match source {
        Source::Column { .. } => "a column",
        Source::Expr { .. } => "`expr = \"..\"`",
        Source::GlobalId { .. } => "`global_id`",
        Source::Through { .. } => "`through = \"..\"`",
        Source::One(_) => "`one(..)`",
        Source::Many(_) => "`many(..)`",
        Source::First(_) => "`first(..)`",
        Source::Values(_) => "`values(..)`",
        Source::Aggregate(aggregate) | Source::OfGroup(aggregate) => match aggregate.function {
            Function::Count => "`count(..)`",
            Function::Sum => "`sum(..)`",
            Function::Avg => "`avg(..)`",
            Function::Min => "`min(..)`",
            Function::Max => "`max(..)`",
            Function::Exists => "`exists(..)`",
        },
    }
}
