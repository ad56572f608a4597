//! Pages of documents as GraphQL connections of the
//! [Relay specification](https://relay.dev/graphql/connections.htm).
//!
//! A page is written as the JSON of a connection, of which a projection then writes the selected
//! fields, as it does with documents.

use std::borrow::Cow;
use std::marker::PhantomData;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};

use crate::resolve::connection_shape::shape;
use crate::resolve::document_writer::DocumentWriter;
use crate::schema::types;
use fraiseql_runtime::__graphql::BigInts;
use fraiseql_runtime::TView;
use fraiseql_runtime::list::{Cursor, DocumentPage};
use fraiseql_runtime::schema::{Data, Shape};
use fraiseql_runtime::select::{Projection, Selection};

/// A page of documents as the value of a resolver: `PostConnection`, with `edges`, `nodes` and
/// `pageInfo`.
pub struct TvConnection<T> {
    page: DocumentPage,
    of: PhantomData<fn() -> T>,
}

impl<T> From<DocumentPage> for TvConnection<T> {
    fn from(page: DocumentPage) -> Self {
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
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let mut writer = DocumentWriter::of(ctx, shape::<T>())?;
        write(&mut writer, &self.page, T::VIEW.data)?;
        writer.finish().await
    }
}

/// Writes the selected fields of a page.
pub(crate) fn write(
    writer: &mut DocumentWriter<'_>,
    page: &DocumentPage,
    data: Data,
) -> ServerResult<()> {
    let lists = SelectedLists::of(writer.projection());
    writer.hold(lists.copied_bytes(page))?;
    writer.document(&json(page, data, &lists), None)
}

/// The lists of a connection that are selected. They have the same documents, which are copied only into
/// those.
pub(crate) struct SelectedLists(Vec<&'static str>);

impl SelectedLists {
    pub(crate) fn of(projection: &Projection) -> Self {
        let selected = projection.selection().fields();
        let is_selected = |list: &&str| selected.iter().any(|field| field.name == *list);
        Self(["edges", "nodes"].into_iter().filter(is_selected).collect())
    }

    /// The bytes of documents in the JSON of a page, which has a copy in each list.
    pub(crate) fn copied_bytes(&self, page: &DocumentPage) -> usize {
        let documents = page.items().map(|(_, document)| document.json().len());
        documents.sum::<usize>().saturating_mul(self.0.len())
    }
}

/// The JSON of a page.
///
/// It has the layout of its documents: the separators of the type in which they are stored, and the keys
/// in the order of the shape. A projection finds keys fastest where it expects them.
pub(crate) fn json(page: &DocumentPage, data: Data, lists: &SelectedLists) -> Vec<u8> {
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
    for list in &lists.0 {
        add(&["\"", list, "\"", colon, "["]);
        for (index, (cursor, document)) in page.items().enumerate() {
            if index > 0 {
                add(&[comma]);
            }
            let text = std::str::from_utf8(document.json()).unwrap_or("null");
            if *list == "nodes" {
                add(&[text]);
                continue;
            }
            add(&["{\"node\"", colon, text, comma]);
            // A cursor is base64, which needs no escaping.
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
    json
}

/// What is selected of the documents of a page. `None` if that cannot be said of each document: `nodes` and
/// `edges.node` may use one alias for different fields, which cannot be merged.
pub(crate) fn documents(shape: &'static Shape, connection: &Selection) -> Option<Projection> {
    let mut merged = Selection::new();
    for field in connection.fields() {
        let Some(fields) = &field.fields else {
            continue;
        };
        match field.name.as_str() {
            "nodes" => add_fields(&mut merged, fields),
            "edges" => {
                let nodes = fields.fields().iter().filter(|field| field.name == "node");
                for fields in nodes.filter_map(|node| node.fields.as_ref()) {
                    add_fields(&mut merged, fields);
                }
            }
            _ => {}
        }
    }
    Projection::of_request(shape, &merged, BigInts::Numbers).ok()
}

fn add_fields(to: &mut Selection, fields: &Selection) {
    for field in fields.fields() {
        to.push(field.clone());
    }
}
