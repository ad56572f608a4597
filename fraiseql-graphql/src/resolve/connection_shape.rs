//! Shapes of GraphQL connections: the connection, its edges and its page info.
//!
//! With a shape, a connection is a type of the schema and can be projected like a document. The
//! order of the fields is that of their keys in `jsonb`: by length, then by bytes.

use std::collections::HashMap;
use std::sync::Mutex;

use fraiseql_runtime::__graphql::lock;
use fraiseql_runtime::Embed;
use fraiseql_runtime::scalar::{Scalar, ScalarType};
use fraiseql_runtime::schema::{Columns, Field, Link, Many, One, PartShape, Shape, Source, Table};

/// The shape of a page of documents of `T`: `PostConnection`.
pub(crate) fn shape<T: Embed>() -> &'static Shape {
    interned(T::SHAPE, "Connection", || {
        vec![
            many("edges", edge::<T>),
            many("nodes", T::shape),
            one("pageInfo", page_info),
        ]
    })
}

fn edge<T: Embed>() -> &'static Shape {
    interned(T::SHAPE, "Edge", || {
        vec![
            one("node", T::shape),
            value("cursor", <String as Scalar>::TYPE),
        ]
    })
}

fn page_info() -> &'static Shape {
    const FIELDS: &[Field] = &[
        value("endCursor", <Option<String> as Scalar>::TYPE),
        value("hasNextPage", <bool as Scalar>::TYPE),
        value("startCursor", <Option<String> as Scalar>::TYPE),
        value("hasPreviousPage", <bool as Scalar>::TYPE),
    ];
    const SHAPE: &Shape = &Shape {
        id: "fraiseql_graphql::PageInfo",
        name: "PageInfo",
        type_name: "PageInfo",
        docs: Some("The position of a page in its list."),
        table: NO_TABLE,
        filter: None,
        key: None,
        group_by: &[],
        fields: FIELDS,
    };
    SHAPE
}

/// The base table of these shapes. Nothing is read from it: they are filled from documents.
const NO_TABLE: Table = Table {
    schema: "",
    name: "",
};

const fn field(json: &'static str, source: Source) -> Field {
    Field {
        name: json,
        json,
        docs: None,
        source,
        promoted: None,
    }
}

const fn value(json: &'static str, ty: ScalarType) -> Field {
    field(json, Source::Column { column: "", ty })
}

fn one(json: &'static str, shape: fn() -> &'static Shape) -> Field {
    field(
        json,
        Source::One(One {
            fk: Columns::new(&[]),
            key: None,
            nullable: false,
            shape: PartShape::Declared(shape),
        }),
    )
}

fn many(json: &'static str, shape: fn() -> &'static Shape) -> Field {
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
fn interned(
    of: &'static Shape,
    suffix: &str,
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
                key: None,
                group_by: &[],
                fields: fields().leak(),
            }))
        })
}
