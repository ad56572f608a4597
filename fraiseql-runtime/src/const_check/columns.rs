//! Checks of the columns that `one(..)`, `many(..)` and aggregates name, if a field of a struct
//! reads the same column.
//!
//! A table may have columns that no field reads, so an unknown name is not an error. Errors are a
//! name of the document where the name of a column is needed, and a foreign key that cannot be
//! compared with the column that it refers to.

use crate::const_check::compare::same;
use crate::const_check::message::Message;
use crate::schema::embed::Embed;
use crate::schema::scalar::ScalarType;
use crate::schema::{Field, Link, Many, One, Shape, Source};

/// Checks `one(fk = ..)` of the field with this index of `T`, whose part is `C`.
#[track_caller]
pub const fn one_fk<T: Embed, C: Embed>(index: usize) {
    let (here, there) = (T::SHAPE, C::SHAPE);
    let field = &here.fields[index];
    let Source::One(One {
        fk, key, nullable, ..
    }) = &field.source
    else {
        return;
    };
    is_column(here, fk);
    let Some(ty) = type_of(here, fk) else { return };
    let key = match key {
        Some(key) => key,
        None => key_column(there),
    };
    if let Some(key_type) = type_of(there, key) {
        are_comparable(
            TypedColumn {
                shape: here,
                name: fk,
                ty,
            },
            TypedColumn {
                shape: there,
                name: key,
                ty: key_type,
            },
        );
    }
    if ty.nullable && !*nullable {
        Message::new()
            .code(fk)
            .push(" may be null, so the type of ")
            .code(field.name)
            .push(" must be Option<..>")
            .panic();
    }
}

/// Checks `one(key = ..)` or `through(key = ..)` of a field whose part is `C`.
#[track_caller]
pub const fn one_key<C: Embed>(key: &str) {
    is_column(C::SHAPE, key);
}

/// Checks `many(fk = ..)` of the field with this index of `T`, whose part is `C`.
#[track_caller]
pub const fn many_fk<T: Embed, C: Embed>(index: usize) {
    let (here, there) = (T::SHAPE, C::SHAPE);
    let Source::Many(Many {
        link: Link::ForeignKey(fk),
        key,
        ..
    }) = &here.fields[index].source
    else {
        return;
    };
    is_column(there, fk);
    let key = match key {
        Some(key) => key,
        None => key_column(here),
    };
    if let (Some(ty), Some(key_type)) = (type_of(there, fk), type_of(here, key)) {
        are_comparable(
            TypedColumn {
                shape: there,
                name: fk,
                ty,
            },
            TypedColumn {
                shape: here,
                name: key,
                ty: key_type,
            },
        );
    }
}

/// Checks `many(key = ..)` of a field of `T`.
#[track_caller]
pub const fn many_key<T: Embed>(key: &str) {
    is_column(T::SHAPE, key);
}

/// Checks `count(key = ..)`, or that of another aggregate, of a field of `T`.
#[track_caller]
pub const fn aggregate_key<T: Embed>(key: &str) {
    is_column(T::SHAPE, key);
}

/// Checks `many(order_by = ..)` of the field with this index of `T`, whose part is `C`.
#[track_caller]
pub const fn many_order<T: Embed, C: Embed>(index: usize) {
    if let Source::Many(many) = &T::SHAPE.fields[index].source {
        let mut term = 0;
        while term < many.order_by.len() {
            is_column(C::SHAPE, many.order_by[term].column);
            term += 1;
        }
    }
}

/// The key column of a row.
const fn key_column(shape: &'static Shape) -> &'static str {
    match &shape.key {
        Some(key) => key.column,
        None => "id",
    }
}

/// The type of a column, if a field reads it.
const fn type_of(shape: &'static Shape, name: &str) -> Option<ScalarType> {
    let mut index = 0;
    while index < shape.fields.len() {
        if let Source::Column { column, ty } = &shape.fields[index].source
            && same(column, name)
        {
            return Some(*ty);
        }
        index += 1;
    }
    match &shape.key {
        Some(key) if same(key.column, name) => Some(key.ty),
        _ => None,
    }
}

/// Panics if the name is that of a field or a JSON key, and the column has another name.
#[track_caller]
const fn is_column(shape: &'static Shape, name: &str) {
    if type_of(shape, name).is_some() {
        return;
    }
    let mut index = 0;
    while index < shape.fields.len() {
        let Field {
            name: field,
            json,
            source,
            ..
        } = &shape.fields[index];
        if let Source::Column { column, .. } = source
            && (same(field, name) || same(json, name))
        {
            let what = if same(field, name) {
                " is a field of "
            } else {
                " is the JSON key of a field of "
            };
            Message::new()
                .code(name)
                .push(what)
                .code(shape.name)
                .push(" whose column is ")
                .code(column)
                .push(": write ")
                .code(column)
                .panic();
        }
        index += 1;
    }
}

/// A column that a field of a shape reads.
#[derive(Clone, Copy)]
struct TypedColumn {
    shape: &'static Shape,
    name: &'static str,
    ty: ScalarType,
}

/// Panics if the foreign key cannot be compared with the column that it refers to.
#[track_caller]
const fn are_comparable(fk: TypedColumn, key: TypedColumn) {
    if fk.ty.list.is_some() == key.ty.list.is_some() && in_one_group(fk.ty.sql, key.ty.sql) {
        return;
    }
    let message = column(Message::new(), fk).push(" is ");
    let message = type_name(message, fk.ty).push(", but it refers to ");
    let message = column(message, key).push(", which is ");
    type_name(message, key.ty)
        .push(": give both fields the same type, or name another column")
        .panic()
}

/// `` `author_id` in `Post` ``.
const fn column(message: Message, column: TypedColumn) -> Message {
    message
        .code(column.name)
        .push(" in ")
        .code(column.shape.name)
}

/// `int8`, or `int8[]`.
const fn type_name(message: Message, ty: ScalarType) -> Message {
    let message = message.push(ty.sql);
    match ty.list {
        Some(_) => message.push("[]"),
        None => message,
    }
}

/// Groups of types that PostgreSQL compares with each other. A type that is in no group may be a
/// domain over any type.
const COMPARABLE_TYPES: [&[&str]; 8] = [
    &["int2", "int4", "int8", "numeric", "float4", "float8"],
    &["text", "varchar", "bpchar", "citext", "name"],
    &["uuid"],
    &["boolean"],
    &["timestamptz", "timestamp", "date"],
    &["time"],
    &["json", "jsonb"],
    &["bytea"],
];

/// Whether PostgreSQL may be able to compare values of these types.
const fn in_one_group(a: &str, b: &str) -> bool {
    if same(a, b) {
        return true;
    }
    match (group(a), group(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

/// The index of the group of a type.
const fn group(sql: &str) -> Option<usize> {
    let mut group = 0;
    while group < COMPARABLE_TYPES.len() {
        let mut index = 0;
        while index < COMPARABLE_TYPES[group].len() {
            if same(COMPARABLE_TYPES[group][index], sql) {
                return Some(group);
            }
            index += 1;
        }
        group += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::in_one_group;

    #[test]
    fn types_of_one_group_are_comparable() {
        for (a, b, expected) in [
            ("int4", "int8", true),
            ("text", "citext", true),
            ("uuid", "uuid", true),
            ("uuid", "text", false),
            ("int8", "text", false),
            ("int8", "boolean", false),
            // A domain may be over any type.
            ("app.email", "text", true),
            ("app.email", "app.email", true),
        ] {
            assert_eq!(in_one_group(a, b), expected, "{a} and {b}");
            assert_eq!(in_one_group(b, a), expected, "{b} and {a}");
        }
    }
}
