//! The check that each field of a part is a field of the struct in its `shape_of`.

use super::describe::{
    attribute_of, column_and_expr, elements, nulls_first, order_of_link, push_attribute, push_type,
};
use super::tables::{push_name, same_table};
use crate::const_check::compare::{same, same_columns};
use crate::const_check::message::Message;
use crate::const_check::nearest::{NameIn, nearest};
use crate::schema::embed::{Children, Embed};
use crate::schema::scalar::ScalarType;
use crate::schema::{
    Aggregate, Columns, Field, Link, Many, One, OrderBy, Shape, Source, Table, Values,
};

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
    if !whole.group_by.is_empty() {
        Message::new()
            .code(whole.name)
            .push(" is a group of rows, because of ")
            .code("group_by")
            .push(", so ")
            .code("shape_of")
            .push(" cannot name it: write a part with a table and groups of its own")
            .panic();
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
    // A part may show more of the row by which it is in a list.
    if !matches!(field.source, Source::Through { .. }) {
        unknown(field.name, whole);
    }
}

/// Panics: `whole` does not have the field.
#[track_caller]
const fn unknown(field: &str, whole: &'static Shape) {
    let mut message = Message::new()
        .code(field)
        .push(" is not a field of ")
        .code(whole.name);
    message = match nearest(field, whole.fields, NameIn::Rust) {
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

/// The value of an attribute that is one text.
const fn text<'a>(text: &'a Option<&'static str>) -> Option<&'a [&'static str]> {
    match text {
        Some(text) => Some(std::slice::from_ref(text)),
        None => None,
    }
}

/// The value of an attribute that is names of columns.
const fn names(columns: Option<Columns>) -> Option<&'static [&'static str]> {
    match columns {
        Some(columns) => Some(columns.names()),
        None => None,
    }
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
            (
                Source::Through { column, ty },
                Source::Through {
                    column: other,
                    ty: other_type,
                },
            ) => {
                self.same_text("through", Some(column), Some(other));
                self.same_type(*ty, *other_type);
            }
            (Source::One(one), Source::One(other)) => self.same_one(one, other),
            (Source::Many(many), Source::Many(other)) => self.same_many(many, other),
            (Source::First(many), Source::First(other)) => {
                self.same_many(many, other);
                self.same_order(many.order_by, other.order_by);
                self.same_order(order_of_link(&many.link), order_of_link(&other.link));
            }
            (Source::Values(values), Source::Values(other)) => self.same_values(values, other),
            (Source::Aggregate(aggregate), Source::Aggregate(other))
                if aggregate.function as u8 == other.function as u8 =>
            {
                self.same_aggregate(aggregate, other);
            }
            (_, Source::GlobalId { .. }) => Message::new()
                .code(self.here.name)
                .push(" is ")
                .code("global_id")
                .push(" in ")
                .code(self.whole)
                .push(", which a part does not have: remove the field")
                .panic(),
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
        self.same_columns("fk", Some(one.fk), Some(other.fk));
        self.same_columns("key", one.key, other.key);
        self.same_nullability(one.nullable, other.nullable);
    }

    #[track_caller]
    const fn same_many(self, many: &Many, other: &Many) {
        self.same_link(&many.link, &other.link);
        self.same_columns("key", many.key, other.key);
        // Order and limit may differ: a part may have the first three of fifty rows.
        self.same_text("filter", many.filter, other.filter);
    }

    #[track_caller]
    const fn same_values(self, values: &Values, other: &Values) {
        self.same_table("has values of", values.table, other.table);
        self.same_link(&values.link, &other.link);
        self.same_columns("key", values.key, other.key);
        let (column, expr) = column_and_expr(values.value);
        let (other_column, other_expr) = column_and_expr(other.value);
        self.same_text("column", column, other_column);
        self.same_text("expr", expr, other_expr);
        self.same_flag("distinct", values.distinct, other.distinct);
        self.same_text("filter", values.filter, other.filter);
        self.same_type(values.ty, other.ty);
    }

    #[track_caller]
    const fn same_link(self, link: &Link, other: &Link) {
        match (link, other) {
            (Link::ForeignKey(fk), Link::ForeignKey(other)) => {
                self.same_columns("fk", Some(*fk), Some(*other));
            }
            (
                Link::Through {
                    table, fk, to, key, ..
                },
                Link::Through {
                    table: other_table,
                    fk: other_fk,
                    to: other_to,
                    key: other_key,
                    ..
                },
            ) => {
                self.same_table("joins rows of", *table, *other_table);
                self.same_columns("fk", Some(*fk), Some(*other_fk));
                self.same_columns("to", Some(*to), Some(*other_to));
                self.same_columns("key", *key, *other_key);
            }
            (Link::ForeignKey(fk), Link::Through { .. }) => {
                self.same_columns("fk", Some(*fk), None);
            }
            (Link::Through { .. }, Link::ForeignKey(fk)) => {
                self.same_columns("fk", None, Some(*fk));
            }
        }
    }

    /// The order of `first(..)` decides which row it is.
    #[track_caller]
    const fn same_order(self, here: &[OrderBy], there: &[OrderBy]) {
        let mut equal = here.len() == there.len();
        let mut index = 0;
        while equal && index < here.len() {
            let (one, other) = (&here[index], &there[index]);
            equal = same(one.column, other.column)
                && one.descending == other.descending
                && nulls_first(one) == nulls_first(other);
            index += 1;
        }
        if equal {
            return;
        }
        Message::new()
            .code(self.here.name)
            .push(" has another ")
            .code("order_by")
            .push(" here than in ")
            .code(self.whole)
            .push(": write the same in both")
            .panic();
    }

    #[track_caller]
    const fn same_aggregate(self, aggregate: &Aggregate, other: &Aggregate) {
        self.same_table("aggregates rows of", aggregate.table, other.table);
        self.same_columns("fk", Some(aggregate.fk), Some(other.fk));
        match (&aggregate.through, &other.through) {
            (Some(rows), Some(other)) => {
                self.same_table("aggregates through rows of", rows.table, other.table);
                self.same_columns("fk", Some(rows.fk), Some(other.fk));
                self.same_columns("key", Some(rows.key), Some(other.key));
                self.same_text("filter", rows.filter, other.filter);
            }
            (here, there) => self.same_flag("through", here.is_some(), there.is_some()),
        }
        self.same_columns("key", aggregate.key, other.key);
        self.same_text("expr", aggregate.expr, other.expr);
        self.same_flag("distinct", aggregate.distinct, other.distinct);
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
    const fn same_text(
        self,
        attribute: &str,
        here: Option<&'static str>,
        there: Option<&'static str>,
    ) {
        let equal = match (here, there) {
            (Some(here), Some(there)) => same(here, there),
            (None, None) => true,
            _ => false,
        };
        if !equal {
            self.differs(attribute, text(&here), text(&there));
        }
    }

    #[track_caller]
    const fn same_columns(self, attribute: &str, here: Option<Columns>, there: Option<Columns>) {
        let equal = match (here, there) {
            (Some(here), Some(there)) => same_columns(here, there),
            (None, None) => true,
            _ => false,
        };
        if !equal {
            self.differs(attribute, names(here), names(there));
        }
    }

    /// Panics: the attribute has other values in the two structs.
    #[track_caller]
    const fn differs(self, attribute: &str, here: Option<&[&str]>, there: Option<&[&str]>) {
        let message = Message::new().code(self.here.name).push(" has ");
        let message = push_attribute(message, attribute, here).push(" here and ");
        push_attribute(message, attribute, there)
            .push(" in ")
            .code(self.whole)
            .push(": write the same in both")
            .panic();
    }

    #[track_caller]
    const fn same_flag(self, attribute: &str, here: bool, there: bool) {
        if here == there {
            return;
        }
        let message = Message::new()
            .code(self.here.name)
            .push(" has ")
            .code(attribute);
        let message = if here {
            message.push(" here, but not in ").code(self.whole)
        } else {
            message.push(" in ").code(self.whole).push(", but not here")
        };
        message.push(": write the same in both").panic();
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
