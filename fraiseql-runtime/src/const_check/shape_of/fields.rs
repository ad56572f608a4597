//! The check that each field of a part is a field of the struct in its `shape_of`.

use super::nearest::nearest;
use super::tables::{push_name, same_table};
use crate::const_check::compare::same;
use crate::const_check::message::Message;
use crate::schema::embed::{Children, Embed};
use crate::schema::scalar::{ElementNull, ScalarType};
use crate::schema::{Aggregate, Field, Function, Link, Many, One, Shape, Source, Table};

/// Panics if the field of `T` with this index is not a field of the struct in `shape_of`, with the
/// same source and type.
#[track_caller]
pub const fn field<T: Embed>(index: usize) {
    check::<T, _, _>(T::shape_of, index);
}

/// The struct is the head of the list that `_shape_of` returns; the function is passed only for its
/// type.
#[track_caller]
const fn check<T: Embed, L: Children, F: Fn() -> L + Copy>(_shape_of: F, index: usize) {
    let field = &T::SHAPE.fields[index];
    let whole = L::Head::SHAPE;
    // A struct with errors of its own has a shape without fields.
    if whole.fields.is_empty() {
        return;
    }
    let mut other = 0;
    while other < whole.fields.len() {
        if same(whole.fields[other].name, field.name) {
            let pair = FieldPair {
                here: field,
                there: &whole.fields[other],
                whole: whole.name,
            };
            pair.same_source();
            pair.same_part(
                table_of_child(T::children, index),
                table_of_child(L::Head::children, other),
            );
            return;
        }
        other += 1;
    }
    unknown(field.name, whole);
}

/// Panics: `whole` does not have the field.
#[track_caller]
const fn unknown(field: &str, whole: &'static Shape) {
    let mut message = Message::new()
        .code(field)
        .push(" is not a field of ")
        .code(whole.name);
    message = match nearest(field, whole.fields) {
        Some(near) => message
            .push("; did you mean ")
            .code(near)
            .push("? Its fields are "),
        None => message.push("; its fields are "),
    };
    let mut index = 0;
    while index < whole.fields.len() {
        if index > 0 {
            message = message.push(", ");
        }
        message = message.push(whole.fields[index].name);
        index += 1;
    }
    message.panic()
}

/// The table of the part in the field with this index; `None` if the field has no part.
const fn table_of_child<L: Children, F: Fn() -> L + Copy>(
    _children: F,
    index: usize,
) -> Option<Table> {
    table_in::<L>(index)
}

const fn table_in<L: Children>(index: usize) -> Option<Table> {
    if L::END {
        None
    } else if L::FIELD == index {
        Some(L::Head::SHAPE.table)
    } else {
        table_in::<L::Tail>(index)
    }
}

/// A field of a part, and the field with the same name of the struct in `shape_of`.
///
/// Each method panics if the two differ in something.
#[derive(Clone, Copy)]
struct FieldPair {
    here: &'static Field,
    there: &'static Field,
    /// The name of the struct in `shape_of`.
    whole: &'static str,
}

impl FieldPair {
    #[track_caller]
    const fn same_source(self) {
        match (&self.here.source, &self.there.source) {
            (
                Source::Column { column, ty },
                Source::Column {
                    column: other,
                    ty: other_type,
                },
            ) => {
                if !same(column, other) {
                    Message::new()
                        .code(self.here.name)
                        .push(" is read from the column ")
                        .code(column)
                        .push(" here and from ")
                        .code(other)
                        .push(" in ")
                        .code(self.whole)
                        .push(": write column = \"")
                        .push(other)
                        .push("\"")
                        .panic();
                }
                self.same_type(*ty, *other_type);
            }
            (
                Source::Expr { expr, ty },
                Source::Expr {
                    expr: other,
                    ty: other_type,
                },
            ) => {
                self.same_text("expr", Some(expr), Some(other));
                self.same_type(*ty, *other_type);
            }
            (Source::One(one), Source::One(other)) => self.same_one(one, other),
            (Source::Many(many), Source::Many(other)) => self.same_many(many, other),
            (Source::Aggregate(aggregate), Source::Aggregate(other))
                if aggregate.function as u8 == other.function as u8 =>
            {
                self.same_aggregate(aggregate, other);
            }
            (here, there) => Message::new()
                .code(self.here.name)
                .push(" is ")
                .push(attribute_of(here))
                .push(" here and ")
                .push(attribute_of(there))
                .push(" in ")
                .code(self.whole)
                .push(": write the same attribute")
                .panic(),
        }
    }

    #[track_caller]
    const fn same_one(self, one: &One, other: &One) {
        self.same_text("fk", Some(one.fk), Some(other.fk));
        self.same_text("key", one.key, other.key);
        self.same_nullability(one.nullable, other.nullable);
    }

    #[track_caller]
    const fn same_many(self, many: &Many, other: &Many) {
        match (&many.link, &other.link) {
            (Link::ForeignKey(fk), Link::ForeignKey(other)) => {
                self.same_text("fk", Some(fk), Some(other));
            }
            (
                Link::Through { table, fk, to, key },
                Link::Through {
                    table: other_table,
                    fk: other_fk,
                    to: other_to,
                    key: other_key,
                },
            ) => {
                self.same_table("joins rows of", *table, *other_table);
                self.same_text("fk", Some(fk), Some(other_fk));
                self.same_text("to", Some(to), Some(other_to));
                self.same_text("key", *key, *other_key);
            }
            (Link::ForeignKey(fk), Link::Through { .. }) => self.same_text("fk", Some(fk), None),
            (Link::Through { .. }, Link::ForeignKey(fk)) => self.same_text("fk", None, Some(fk)),
        }
        self.same_text("key", many.key, other.key);
        // Order and limit may differ: a part may have the first three of fifty rows.
        self.same_text("filter", many.filter, other.filter);
    }

    #[track_caller]
    const fn same_aggregate(self, aggregate: &Aggregate, other: &Aggregate) {
        self.same_table("aggregates rows of", aggregate.table, other.table);
        self.same_text("fk", Some(aggregate.fk), Some(other.fk));
        self.same_text("key", aggregate.key, other.key);
        self.same_text("expr", aggregate.expr, other.expr);
        self.same_text("filter", aggregate.filter, other.filter);
        self.same_type(aggregate.ty, other.ty);
    }

    #[track_caller]
    const fn same_part(self, here: Option<Table>, there: Option<Table>) {
        if let (Some(here), Some(there)) = (here, there) {
            self.same_table("has rows of", here, there);
        }
    }

    #[track_caller]
    const fn same_table(self, verb: &str, here: Table, there: Table) {
        // A part with errors of its own has a table without a name.
        if same_table(here, there) || here.name.is_empty() || there.name.is_empty() {
            return;
        }
        let message = Message::new()
            .code(self.here.name)
            .push(" ")
            .push(verb)
            .push(" ");
        push_name(push_name(message, here).push(" here and of "), there)
            .push(" in ")
            .code(self.whole)
            .push(": use the same table")
            .panic()
    }

    #[track_caller]
    const fn same_text(self, attribute: &str, here: Option<&str>, there: Option<&str>) {
        let equal = match (here, there) {
            (Some(here), Some(there)) => same(here, there),
            (None, None) => true,
            _ => false,
        };
        if equal {
            return;
        }
        let message = Message::new().code(self.here.name).push(" has ");
        let message = push_attribute(message, attribute, here).push(" here and ");
        push_attribute(message, attribute, there)
            .push(" in ")
            .code(self.whole)
            .push(": write the same in both")
            .panic();
    }

    #[track_caller]
    const fn same_type(self, here: ScalarType, there: ScalarType) {
        // The placeholder of a type that is not a scalar, which is reported at its own field.
        if here.sql.is_empty() || there.sql.is_empty() {
            return;
        }
        if !same(here.sql, there.sql) || elements(here) != elements(there) {
            let message = Message::new().code(self.here.name).push(" is ");
            push_type(push_type(message, here).push(" here and "), there)
                .push(" in ")
                .code(self.whole)
                .push(": use the same type")
                .panic();
        }
        self.same_nullability(here.nullable, there.nullable);
    }

    #[track_caller]
    const fn same_nullability(self, here: bool, there: bool) {
        if here == there {
            return;
        }
        let message = Message::new().code(self.here.name);
        let (what, fix) = if there {
            (" may be null in ", ", but not here: write Option<..>")
        } else {
            (" may be null here, but not in ", ": remove Option")
        };
        message.push(what).code(self.whole).push(fix).panic()
    }
}

/// Appends `` `fk = "author_id"` ``, or `` no `fk` ``.
const fn push_attribute(message: Message, attribute: &str, value: Option<&str>) -> Message {
    match value {
        Some(value) => message
            .push("`")
            .push(attribute)
            .push(" = \"")
            .push(value)
            .push("\"`"),
        None => message.push("no ").code(attribute),
    }
}

/// Appends the name of a PostgreSQL type.
const fn push_type(message: Message, ty: ScalarType) -> Message {
    let message = message.push(ty.sql);
    match elements(ty) {
        0 => message,
        1 => message.push("[]"),
        _ => message.push("[] with nulls"),
    }
}

/// 0 for a single value, 1 for a list, 2 for a list with nullable elements.
const fn elements(ty: ScalarType) -> u8 {
    match ty.list {
        None => 0,
        Some(ElementNull::No) => 1,
        Some(ElementNull::Yes) => 2,
    }
}

/// The attribute that a source comes from, for messages.
const fn attribute_of(source: &Source) -> &'static str {
    match source {
        Source::Column { .. } => "a column",
        Source::Expr { .. } => "`expr = \"..\"`",
        Source::One(_) => "`one(..)`",
        Source::Many(_) => "`many(..)`",
        Source::Aggregate(aggregate) => match aggregate.function {
            Function::Count => "`count(..)`",
            Function::Sum => "`sum(..)`",
            Function::Avg => "`avg(..)`",
            Function::Min => "`min(..)`",
            Function::Max => "`max(..)`",
            Function::Exists => "`exists(..)`",
        },
    }
}
