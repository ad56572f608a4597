//! Pages of documents, as [Relay](https://relay.dev/graphql/connections.htm) has them.
//!
//! A page is an object like any other: it has a table, and is written as JSON first, of which a
//! query selects.

use std::borrow::Cow;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Mutex;

use async_graphql::parser::types::Field as AskedField;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};

use super::document::Answer;
use crate::schema::types;
use fraiseql_runtime::__graphql::lock;
use fraiseql_runtime::Embed;
use fraiseql_runtime::TView;
use fraiseql_runtime::list::{Connection, Cursor};
use fraiseql_runtime::scalar::{Scalar, ScalarType};
use fraiseql_runtime::schema::{Data, Field, Link, Many, One, Shape, Source, Table};
use fraiseql_runtime::select::{Projection, Selection};

/// A page of documents as the value of a resolver: `PostConnection`, with `edges`, `nodes` and
/// `pageInfo`.
pub struct TvConnection<T> {
    page: Connection,
    of: PhantomData<fn() -> T>,
}

impl<T> From<Connection> for TvConnection<T> {
    fn from(page: Connection) -> Self {
        Self {
            page,
            of: PhantomData,
        }
    }
}

impl<T: TView> OutputType for TvConnection<T> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(shape::<T>().type_name)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        format!("{}!", types::object(registry, shape::<T>()))
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<AskedField>,
    ) -> ServerResult<Value> {
        let mut answer = Answer::of(ctx, shape::<T>())?;
        write(&mut answer, &self.page, T::VIEW.data)?;
        answer.finish()
    }
}

/// Writes what is asked of a page. The page is laid out as its documents are, so that a
/// projection finds all keys where it expects them.
pub(crate) fn write(answer: &mut Answer<'_>, page: &Connection, data: Data) -> ServerResult<()> {
    let (colon, comma) = match data {
        Data::Jsonb => (": ", ", "),
        Data::Json => (":", ","),
    };
    let mut json = Vec::new();
    let mut add = |texts: &[&str]| {
        for text in texts {
            json.extend_from_slice(text.as_bytes());
        }
    };
    add(&["{"]);
    for list in ["edges", "nodes"] {
        if !answer.asks_for(list) {
            continue;
        }
        add(&["\"", list, "\"", colon, "["]);
        for (index, (cursor, document)) in page.items().enumerate() {
            if index > 0 {
                add(&[comma]);
            }
            let text = std::str::from_utf8(document.json()).unwrap_or("null");
            if list == "nodes" {
                add(&[text]);
                continue;
            }
            add(&["{\"node\"", colon, text, comma]);
            add(&["\"cursor\"", colon, "\"", &cursor.to_string(), "\"}"]);
        }
        add(&["]", comma]);
    }
    let cursor = |cursor: Option<&Cursor>| {
        cursor.map_or_else(|| "null".to_owned(), |cursor| format!("\"{cursor}\""))
    };
    add(&["\"pageInfo\"", colon, "{\"endCursor\"", colon]);
    add(&[&cursor(page.end()), comma]);
    add(&[
        "\"hasNextPage\"",
        colon,
        &page.has_next().to_string(),
        comma,
    ]);
    add(&["\"startCursor\"", colon, &cursor(page.start()), comma]);
    add(&[
        "\"hasPreviousPage\"",
        colon,
        &page.has_previous().to_string(),
    ]);
    add(&["}}"]);
    answer.document(&json, None)
}

/// The lists in the documents of a page that are not asked for.
pub(crate) fn unselected_lists(shape: &'static Shape, asked: &Selection) -> Vec<&'static str> {
    let mut of_documents = Selection::new();
    for field in asked.fields() {
        let Some(fields) = &field.fields else {
            continue;
        };
        match field.name.as_str() {
            "nodes" => add(&mut of_documents, fields),
            "edges" => {
                let nodes = fields.fields().iter().filter(|field| field.name == "node");
                for fields in nodes.filter_map(|node| node.fields.as_ref()) {
                    add(&mut of_documents, fields);
                }
            }
            _ => {}
        }
    }
    // What cannot be of one object is asked for in two; then nothing is left out.
    Projection::of_asked(shape, &of_documents)
        .map(|projection| projection.unselected_lists())
        .unwrap_or_default()
}

fn add(to: &mut Selection, fields: &Selection) {
    for field in fields.fields() {
        to.push(field.clone());
    }
}

/// The table of the pages of a part's documents.
pub(crate) fn shape<T: Embed>() -> &'static Shape {
    kept(T::SHAPE, "Connection", || {
        vec![
            many("edges", edge::<T>),
            many("nodes", T::shape),
            one("pageInfo", page_info),
        ]
    })
}

fn edge<T: Embed>() -> &'static Shape {
    kept(T::SHAPE, "Edge", || {
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
        docs: Some("What is around a page."),
        table: NOWHERE,
        filter: None,
        key: None,
        fields: FIELDS,
    };
    SHAPE
}

/// No rows are read for these shapes: they are filled from documents.
const NOWHERE: Table = Table {
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
            fk: "",
            key: None,
            nullable: false,
            shape,
        }),
    )
}

fn many(json: &'static str, shape: fn() -> &'static Shape) -> Field {
    field(
        json,
        Source::Many(Many {
            link: Link::ForeignKey(""),
            key: None,
            order_by: &[],
            limit: None,
            filter: None,
            shape,
        }),
    )
}

/// The table of what is made of a shape, composed on first use. There is one for each struct
/// and kind, and it lives as long as the program.
fn kept(of: &'static Shape, kind: &str, fields: impl FnOnce() -> Vec<Field>) -> &'static Shape {
    static KEPT: Mutex<Option<HashMap<String, &'static Shape>>> = Mutex::new(None);
    let id = format!("{}::{kind}", of.id);
    let mut kept = lock(&KEPT);
    kept.get_or_insert_default()
        .entry(id)
        .or_insert_with_key(|id| {
            let type_name = format!("{}{kind}", of.type_name).leak();
            Box::leak(Box::new(Shape {
                id: id.clone().leak(),
                name: type_name,
                type_name,
                docs: None,
                table: NOWHERE,
                filter: None,
                key: None,
                fields: fields().leak(),
            }))
        })
}
