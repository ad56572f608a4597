//! Shapes of GraphQL connections: the connection, its edges and its page info.
//!
//! With a shape, a connection is a type of the schema and can be projected like a document. The
//! order of the fields is that of their keys in `jsonb`: by length, then by bytes.

use crate::resolve::made_shape::{NO_TABLE, interned, many, one, value};
use fraiseql_runtime::Embed;
use fraiseql_runtime::scalar::Scalar;
use fraiseql_runtime::schema::{Field, Shape};

/// The field with the number of documents.
pub(super) const TOTAL_COUNT: &str = "totalCount";

/// The shape of a page of documents of `T`: `PostConnection`.
pub(crate) fn shape<T: Embed>() -> &'static Shape {
    interned(T::SHAPE, "Connection", None, || {
        vec![
            many("edges", edge::<T>),
            many("nodes", T::shape),
            one("pageInfo", page_info),
            Field {
                docs: Some("The number of documents of the list, on all pages."),
                ..value(TOTAL_COUNT, <i64 as Scalar>::TYPE)
            },
        ]
    })
}

fn edge<T: Embed>() -> &'static Shape {
    interned(T::SHAPE, "Edge", None, || {
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
