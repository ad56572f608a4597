//! Proofs about the columns that `one(..)`, `many(..)` and aggregates name, as far as a field of
//! a struct tells what a column is.
//!
//! A table has columns that no struct has a field for, so a name that is not known is not wrong.
//! Wrong is a name of the document where a column's is meant, and a foreign key that cannot be
//! compared with what it refers to.

use crate::const_check::message::Message;
use crate::const_check::scalar::same;
use crate::schema::embed::Embed;
use crate::schema::scalar::ScalarType;
use crate::schema::{Field, Link, Many, One, Shape, Source};

/// `one(fk = ..)` at the field with this index of `T`, whose part is `C`.
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
    named(here, fk);
    let Some(ty) = type_of(here, fk) else { return };
    let key = match key {
        Some(key) => key,
        None => key_column(there),
    };
    if let Some(key_type) = type_of(there, key) {
        comparable((here, fk, ty), (there, key, key_type));
    }
    if ty.nullable && !*nullable {
        Message::new()
            .code(fk)
            .push(" may be null, so ")
            .code(field.name)
            .push(" must be an Option<..>")
            .panic();
    }
}

/// `one(key = ..)`, or `through(key = ..)`, at the field of a struct whose part is `C`.
#[track_caller]
pub const fn one_key<C: Embed>(key: &str) {
    named(C::SHAPE, key);
}

/// `many(fk = ..)` at the field with this index of `T`, whose part is `C`.
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
    named(there, fk);
    let key = match key {
        Some(key) => key,
        None => key_column(here),
    };
    if let (Some(ty), Some(key_type)) = (type_of(there, fk), type_of(here, key)) {
        comparable((there, fk, ty), (here, key, key_type));
    }
}

/// `many(key = ..)` of `T`.
#[track_caller]
pub const fn many_key<T: Embed>(key: &str) {
    named(T::SHAPE, key);
}

/// `count(key = ..)` and its like, of `T`.
#[track_caller]
pub const fn aggregate_key<T: Embed>(key: &str) {
    named(T::SHAPE, key);
}

/// `many(order_by = ..)` at the field with this index of `T`, whose part is `C`.
#[track_caller]
pub const fn many_order<T: Embed, C: Embed>(index: usize) {
    if let Source::Many(many) = &T::SHAPE.fields[index].source {
        let mut term = 0;
        while term < many.order_by.len() {
            named(C::SHAPE, many.order_by[term].column);
            term += 1;
        }
    }
}

/// The column that identifies a row.
const fn key_column(shape: &'static Shape) -> &'static str {
    match &shape.key {
        Some(key) => key.column,
        None => "id",
    }
}

/// The type of a column, if a field is read from it.
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

/// The name is not that of a field whose column has another.
#[track_caller]
const fn named(shape: &'static Shape, name: &str) {
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

/// A column of a shape, and its type.
type Column = (&'static Shape, &'static str, ScalarType);

/// The foreign key can be compared with the column that it refers to.
#[track_caller]
const fn comparable(fk: Column, key: Column) {
    let ((here, fk, fk_type), (there, key, key_type)) = (fk, key);
    if fk_type.list.is_some() == key_type.list.is_some() && one_kind(fk_type.sql, key_type.sql) {
        return;
    }
    list(
        list(
            Message::new().code(fk).push(" is ").push(fk_type.sql),
            fk_type,
        )
        .push(" in ")
        .code(here.name)
        .push(", and ")
        .code(key)
        .push(", which it refers to, is ")
        .push(key_type.sql),
        key_type,
    )
    .push(" in ")
    .code(there.name)
    .push(": they cannot be compared")
    .panic()
}

/// `[]` after the name of a list's type.
const fn list(message: Message, ty: ScalarType) -> Message {
    match ty.list {
        Some(_) => message.push("[]"),
        None => message,
    }
}

/// Types that PostgreSQL compares with each other. Types that are in none of the kinds may be
/// domains of any.
const KINDS: [&[&str]; 8] = [
    &["int2", "int4", "int8", "numeric", "float4", "float8"],
    &["text", "varchar", "bpchar", "citext", "name"],
    &["uuid"],
    &["boolean"],
    &["timestamptz", "timestamp", "date"],
    &["time"],
    &["json", "jsonb"],
    &["bytea"],
];

const fn one_kind(a: &str, b: &str) -> bool {
    if same(a, b) {
        return true;
    }
    match (kind(a), kind(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

const fn kind(sql: &str) -> Option<usize> {
    let mut kind = 0;
    while kind < KINDS.len() {
        let mut index = 0;
        while index < KINDS[kind].len() {
            if same(KINDS[kind][index], sql) {
                return Some(kind);
            }
            index += 1;
        }
        kind += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::one_kind;

    #[test]
    fn types_of_one_kind_can_be_compared() {
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
            assert_eq!(one_kind(a, b), expected, "{a} and {b}");
            assert_eq!(one_kind(b, a), expected, "{b} and {a}");
        }
    }
}
