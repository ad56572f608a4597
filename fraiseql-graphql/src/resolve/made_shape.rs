//! Shapes of types that consist of documents and of values beside them, and that no struct has.

use std::collections::HashMap;
use std::sync::Mutex;

use fraiseql_runtime::__graphql::lock;
use fraiseql_runtime::scalar::ScalarType;
use fraiseql_runtime::schema::{
    Columns, Field, Key, Link, Many, One, PartShape, Shape, Source, Table,
};

/// The base table of these shapes. Nothing is read from it: they are filled from documents.
pub(super) const NO_TABLE: Table = Table {
    schema: "",
    name: "",
};

pub(super) const fn field(json: &'static str, source: Source) -> Field {
    Field {
        name: json,
        json,
        docs: None,
        source,
        promoted: None,
    }
}

pub(super) const fn value(json: &'static str, ty: ScalarType) -> Field {
    field(json, Source::Column { column: "", ty })
}

pub(super) fn one(json: &'static str, shape: fn() -> &'static Shape) -> Field {
    part(json, false, shape)
}

pub(super) fn nullable_one(json: &'static str, shape: fn() -> &'static Shape) -> Field {
    part(json, true, shape)
}

fn part(json: &'static str, nullable: bool, shape: fn() -> &'static Shape) -> Field {
    field(
        json,
        Source::One(One {
            fk: Columns::new(&[]),
            key: None,
            nullable,
            shape: PartShape::Declared(shape),
        }),
    )
}

pub(super) fn many(json: &'static str, shape: fn() -> &'static Shape) -> Field {
    field(
        json,
        Source::Many(Many {
            link: Link::ForeignKey(Columns::new(&[])),
            key: None,
            order_by: &[],
            limit: None,
            filter: None,
            shape: PartShape::Declared(shape),
        }),
    )
}

/// Returns the shape that is derived from a struct's shape, or composes it on first use.
///
/// A shape must be `'static`, and a `static` in a generic function would be shared by all types.
/// Therefore the shapes are leaked, one for each struct and suffix.
pub(super) fn interned(
    of: &'static Shape,
    suffix: &str,
    key: Option<Key>,
    fields: impl FnOnce() -> Vec<Field>,
) -> &'static Shape {
    static SHAPES: Mutex<Option<HashMap<String, &'static Shape>>> = Mutex::new(None);
    let id = format!("{}::{suffix}", of.id);
    // `fields` only stores functions that return shapes, without calling them: the lock is not
    // taken twice.
    let mut shapes = lock(&SHAPES);
    shapes
        .get_or_insert_default()
        .entry(id)
        .or_insert_with_key(|id| {
            let type_name = format!("{}{suffix}", of.type_name).leak();
            Box::leak(Box::new(Shape {
                id: id.clone().leak(),
                name: type_name,
                type_name,
                docs: None,
                table: NO_TABLE,
                filter: None,
                key,
                group_by: &[],
                fields: fields().leak(),
            }))
        })
}
