//! The proof that a part's field is a field of the struct that the part is a shape of.

use super::nearest::nearest;
use super::{name, same_table};
use crate::const_check::message::Message;
use crate::const_check::scalar::same;
use crate::schema::embed::Children;
use crate::schema::embed::Embed;
use crate::schema::scalar::{ElementNull, ScalarType};
use crate::schema::{Aggregate, Field, Function, Link, Many, One, Shape, Source, Table};

/// The field of `T` with this index is a field of the struct that `T` is the shape of.
#[track_caller]
pub const fn field<T: Embed>(index: usize) {
    beside::<T, _, _>(T::shape_of, index);
}

#[track_caller]
const fn beside<T: Embed, L: Children, F: Fn() -> L + Copy>(_next: F, index: usize) {
    let field = &T::SHAPE.fields[index];
    let whole = L::Head::SHAPE;
    // One with errors of its own has a shape without fields.
    if whole.fields.is_empty() {
        return;
    }
    let mut other = 0;
    while other < whole.fields.len() {
        if same(whole.fields[other].name, field.name) {
            let pair = Pair {
                here: field,
                there: &whole.fields[other],
                whole: whole.name,
            };
            pair.source();
            pair.child(
                table_of_child(T::children, index),
                table_of_child(L::Head::children, other),
            );
            return;
        }
        other += 1;
    }
    unknown(field.name, whole);
}

/// There is no such field.
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

/// The table of the part at the field with this index, if there is one.
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

/// A field of a part, and the field that it stands for.
#[derive(Clone, Copy)]
struct Pair {
    here: &'static Field,
    there: &'static Field,
    whole: &'static str,
}

impl Pair {
    /// Both have the same source.
    #[track_caller]
    const fn source(self) {
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
                self.scalar(*ty, *other_type);
            }
            (
                Source::Expr { expr, ty },
                Source::Expr {
                    expr: other,
                    ty: other_type,
                },
            ) => {
                self.text("expr", Some(expr), Some(other));
                self.scalar(*ty, *other_type);
            }
            (Source::One(one), Source::One(other)) => self.one(one, other),
            (Source::Many(many), Source::Many(other)) => self.many(many, other),
            (Source::Aggregate(aggregate), Source::Aggregate(other))
                if aggregate.function as u8 == other.function as u8 =>
            {
                self.aggregate(aggregate, other);
            }
            (here, there) => Message::new()
                .code(self.here.name)
                .push(" is ")
                .push(kind(here))
                .push(" here and ")
                .push(kind(there))
                .push(" in ")
                .code(self.whole)
                .push(": write the same attribute")
                .panic(),
        }
    }

    #[track_caller]
    const fn one(self, one: &One, other: &One) {
        self.text("fk", Some(one.fk), Some(other.fk));
        self.text("key", one.key, other.key);
        self.null(one.nullable, other.nullable);
    }

    #[track_caller]
    const fn many(self, many: &Many, other: &Many) {
        match (&many.link, &other.link) {
            (Link::ForeignKey(fk), Link::ForeignKey(other)) => {
                self.text("fk", Some(fk), Some(other));
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
                self.tables("joins rows of", *table, *other_table);
                self.text("fk", Some(fk), Some(other_fk));
                self.text("to", Some(to), Some(other_to));
                self.text("key", *key, *other_key);
            }
            (Link::ForeignKey(fk), Link::Through { .. }) => self.text("fk", Some(fk), None),
            (Link::Through { .. }, Link::ForeignKey(fk)) => self.text("fk", None, Some(fk)),
        }
        self.text("key", many.key, other.key);
        // Order and limit are the part's own: it may show the first three of fifty.
        self.text("filter", many.filter, other.filter);
    }

    #[track_caller]
    const fn aggregate(self, aggregate: &Aggregate, other: &Aggregate) {
        self.tables("counts rows of", aggregate.table, other.table);
        self.text("fk", Some(aggregate.fk), Some(other.fk));
        self.text("key", aggregate.key, other.key);
        self.text("expr", aggregate.expr, other.expr);
        self.text("filter", aggregate.filter, other.filter);
        self.scalar(aggregate.ty, other.ty);
    }

    /// The parts of both are rows of one table.
    #[track_caller]
    const fn child(self, here: Option<Table>, there: Option<Table>) {
        if let (Some(here), Some(there)) = (here, there) {
            self.tables("holds rows of", here, there);
        }
    }

    #[track_caller]
    const fn tables(self, does: &str, here: Table, there: Table) {
        // A part with errors of its own has a table without a name.
        if same_table(here, there) || here.name.is_empty() || there.name.is_empty() {
            return;
        }
        let message = Message::new()
            .code(self.here.name)
            .push(" ")
            .push(does)
            .push(" ");
        name(name(message, here).push(" here and of "), there)
            .push(" in ")
            .code(self.whole)
            .panic()
    }

    /// What an attribute says is the same.
    #[track_caller]
    const fn text(self, attribute: &str, here: Option<&str>, there: Option<&str>) {
        let equal = match (here, there) {
            (Some(here), Some(there)) => same(here, there),
            (None, None) => true,
            _ => false,
        };
        if equal {
            return;
        }
        let message = Message::new().code(self.here.name).push(" has ");
        let message = said(message, attribute, here).push(" here and ");
        said(message, attribute, there)
            .push(" in ")
            .code(self.whole)
            .push(": write the same")
            .panic();
    }

    #[track_caller]
    const fn scalar(self, here: ScalarType, there: ScalarType) {
        // Of a type that is none: it is reported where it stands.
        if here.sql.is_empty() || there.sql.is_empty() {
            return;
        }
        if !same(here.sql, there.sql) || elements(here) != elements(there) {
            let message = Message::new().code(self.here.name).push(" is ");
            ty(ty(message, here).push(" here and "), there)
                .push(" in ")
                .code(self.whole)
                .panic();
        }
        self.null(here.nullable, there.nullable);
    }

    #[track_caller]
    const fn null(self, here: bool, there: bool) {
        if here == there {
            return;
        }
        let message = Message::new().code(self.here.name);
        let (what, fix) = if there {
            (" may be null in ", " and not here: write Option<..>")
        } else {
            (" may be null here and not in ", ": write it without Option")
        };
        message.push(what).code(self.whole).push(fix).panic()
    }
}

/// `fk = "author_id"`, or that there is none.
const fn said(message: Message, attribute: &str, value: Option<&str>) -> Message {
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

/// The type, as an attribute of a column says it.
const fn ty(message: Message, ty: ScalarType) -> Message {
    let message = message.push(ty.sql);
    match elements(ty) {
        0 => message,
        1 => message.push("[]"),
        _ => message.push("[] with nulls"),
    }
}

/// 0 for one value, 1 for a list, 2 for a list of what may be null.
const fn elements(ty: ScalarType) -> u8 {
    match ty.list {
        None => 0,
        Some(ElementNull::No) => 1,
        Some(ElementNull::Yes) => 2,
    }
}

const fn kind(source: &Source) -> &'static str {
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
