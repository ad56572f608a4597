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
use crate::schema::{Columns, Field, Link, Many, One, Shape, Source};

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
    has_no_join_row(there);
    has_no_hidden_field(there);
    is_not_group(there);
    are_columns(here, fk.names());
    are_comparable((here, *fk), (there, key_of(*key, there)));
    let mut index = 0;
    while index < fk.len() {
        let name = fk.names()[index];
        if let Some(ty) = type_of(here, name)
            && ty.nullable
            && !*nullable
        {
            Message::new()
                .code(name)
                .push(" may be null, so the type of ")
                .code(field.name)
                .push(" must be Option<..>")
                .panic();
        }
        index += 1;
    }
}

/// Checks `one(key = ..)` or `through(key = ..)` of a field whose part is `C`.
#[track_caller]
pub const fn one_key<C: Embed>(key: &[&str]) {
    are_columns(C::SHAPE, key);
}

/// Checks `many(fk = ..)` of the field with this index of `T`, whose part is `C`.
#[track_caller]
pub const fn many_fk<T: Embed, C: Embed>(index: usize) {
    let (here, there) = (T::SHAPE, C::SHAPE);
    let (Source::Many(Many {
        link: Link::ForeignKey(fk),
        key,
        ..
    })
    | Source::First(Many {
        link: Link::ForeignKey(fk),
        key,
        ..
    })) = &here.fields[index].source
    else {
        return;
    };
    has_no_join_row(there);
    has_no_hidden_field(there);
    if matches!(here.fields[index].source, Source::First(_)) {
        is_not_group(there);
    }
    are_columns(there, fk.names());
    are_comparable((there, *fk), (here, key_of(*key, here)));
}

/// Checks `many(key = ..)` of a field of `T`.
#[track_caller]
pub const fn many_key<T: Embed>(key: &[&str]) {
    are_columns(T::SHAPE, key);
}

/// Checks `count(key = ..)`, or that of another aggregate, of a field of `T`.
#[track_caller]
pub const fn aggregate_key<T: Embed>(key: &[&str]) {
    are_columns(T::SHAPE, key);
}

/// Checks `values(key = ..)` of a field of `T`.
#[track_caller]
pub const fn values_key<T: Embed>(key: &[&str]) {
    are_columns(T::SHAPE, key);
}

/// Checks `many(order_by = ..)` of the field with this index of `T`, whose part is `C`.
#[track_caller]
pub const fn many_order<T: Embed, C: Embed>(index: usize) {
    if let Source::Many(many) | Source::First(many) = &T::SHAPE.fields[index].source {
        let mut term = 0;
        while term < many.order_by.len() {
            let name = many.order_by[term].column;
            if C::SHAPE.group_by.is_empty() {
                is_column(C::SHAPE, name);
            } else {
                is_of_group(C::SHAPE, name);
            }
            term += 1;
        }
    }
}

/// Checks `through(..)` of the field with this index of `T`, whose part is `C`.
#[track_caller]
pub const fn many_through<T: Embed, C: Embed>(index: usize) {
    has_no_hidden_field(C::SHAPE);
    match &T::SHAPE.fields[index].source {
        Source::First(_) => is_not_group(C::SHAPE),
        Source::Many(Many {
            link: Link::Through { order_by, .. },
            ..
        }) if !order_by.is_empty() && !C::SHAPE.group_by.is_empty() => Message::new()
            .code(C::SHAPE.name)
            .push(" is a group of rows, which ")
            .code("order_by")
            .push(" in ")
            .code("through")
            .push(" cannot order: write the order of the groups in many(order_by = \"..\")")
            .panic(),
        _ => {}
    }
}

/// Panics if the part is a view with a hidden field, which has a value only if the view itself is read.
#[track_caller]
const fn has_no_hidden_field(part: &'static Shape) {
    let mut index = 0;
    while index < part.fields.len() {
        if part.fields[index].is_hidden() {
            Message::new()
                .code(part.name)
                .push(" has the hidden field ")
                .code(part.fields[index].name)
                .push(", which is in the view table of ")
                .code(part.name)
                .push(" only: write a part without it, with #[derive(Embed)] and ")
                .code("shape_of")
                .panic();
        }
        index += 1;
    }
}

/// Panics if the part is a group of rows, which only a list has.
#[track_caller]
const fn is_not_group(part: &'static Shape) {
    if !part.group_by.is_empty() {
        Message::new()
            .code(part.name)
            .push(" is a group of rows, because of ")
            .code("group_by")
            .push(", so it can only be in many(..): one(..) and first(..) are a row")
            .panic();
    }
}

/// Panics if a list of groups cannot be ordered by this name.
#[track_caller]
const fn is_of_group(part: &'static Shape, name: &str) {
    let mut index = 0;
    while index < part.group_by.len() {
        if same(part.group_by[index], name) {
            return;
        }
        index += 1;
    }
    let mut index = 0;
    while index < part.fields.len() {
        let field = &part.fields[index];
        if same(field.name, name) && matches!(field.source, Source::OfGroup(_)) {
            return;
        }
        index += 1;
    }
    Message::new()
        .code(name)
        .push(" is neither a column of ")
        .code("group_by")
        .push(" of ")
        .code(part.name)
        .push(" nor the field of an aggregate: groups are ordered by these")
        .panic()
}

/// Panics if a field of the part is read from a join table, which only a list through one has.
#[track_caller]
const fn has_no_join_row(part: &'static Shape) {
    let mut index = 0;
    while index < part.fields.len() {
        if let Source::Through { column, .. } = &part.fields[index].source {
            Message::new()
                .push("`")
                .push(part.name)
                .push(".")
                .push(part.fields[index].name)
                .push("` is the column ")
                .code(column)
                .push(" of a join table, so ")
                .code(part.name)
                .push(" can only be in many(through(..)) or first(through(..)): link the rows by a join table, or \
                     use another part here")
                .panic();
        }
        index += 1;
    }
}

/// The columns that a foreign key refers to: those that are given, or the key.
const fn key_of(given: Option<Columns>, shape: &'static Shape) -> Columns {
    match (given, &shape.key) {
        (Some(columns), _) => columns,
        (None, Some(key)) => key.columns,
        (None, None) => Columns::ID,
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
    if let Some(key) = &shape.key {
        let mut index = 0;
        while index < key.columns.len() {
            if same(key.columns.names()[index], name) {
                return Some(key.types[index]);
            }
            index += 1;
        }
    }
    None
}

/// Panics if one of the names cannot be a column.
#[track_caller]
const fn are_columns(shape: &'static Shape, names: &[&str]) {
    let mut index = 0;
    while index < names.len() {
        is_column(shape, names[index]);
        index += 1;
    }
}

/// Panics if a foreign key of a struct does not have as many columns as what it refers to, or if two
/// of them cannot be compared.
#[track_caller]
const fn are_comparable(
    (referring, fk): (&'static Shape, Columns),
    (referred, key): (&'static Shape, Columns),
) {
    if fk.len() != key.len() {
        let message = Message::new().columns(fk).push(" in ").code(referring.name);
        count(
            count(message.push(" is "), fk.len()).push(", but it refers to "),
            key.len(),
        )
        .push(" in ")
        .code(referred.name)
        .push(", ")
        .columns(key)
        .push(": name a column for each of them")
        .panic();
    }
    let mut index = 0;
    while index < fk.len() {
        let (fk, key) = (fk.names()[index], key.names()[index]);
        if let (Some(fk_type), Some(key_type)) = (type_of(referring, fk), type_of(referred, key)) {
            is_comparable(
                TypedColumn {
                    shape: referring,
                    name: fk,
                    ty: fk_type,
                },
                TypedColumn {
                    shape: referred,
                    name: key,
                    ty: key_type,
                },
            );
        }
        index += 1;
    }
}

/// Appends a number of columns, of which a key has at most six.
const fn count(message: Message, columns: usize) -> Message {
    message.push(match columns {
        1 => "one column",
        2 => "two columns",
        3 => "three columns",
        4 => "four columns",
        5 => "five columns",
        6 => "six columns",
        _ => "more columns",
    })
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
const fn is_comparable(fk: TypedColumn, key: TypedColumn) {
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
