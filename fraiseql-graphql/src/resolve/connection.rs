//! Pages of documents as GraphQL connections of the
//! [Relay specification](https://relay.dev/graphql/connections.htm).
//!
//! A page is written as the JSON of a connection, of which a projection then writes the selected
//! fields, as it does with documents.

use std::borrow::Cow;
use std::marker::PhantomData;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{Context, ContextSelectionSet, OutputType, Positioned, ServerResult, Value};
use futures_util::future::try_join;

use crate::resolve::connection_shape::{TOTAL_COUNT, shape};
use crate::resolve::document_writer::DocumentWriter;
use crate::resolve::requested_fields::RequestedFields;
use crate::schema::types;
use fraiseql_runtime::__graphql::BigInts;
use fraiseql_runtime::list::{Cursor, DocumentPage, List, ListError, Page};
use fraiseql_runtime::schema::{Data, Shape};
use fraiseql_runtime::select::{Projection, Selection};
use fraiseql_runtime::{ReadTarget, TView};

/// A page of documents as the value of a resolver: `PostConnection`, with `edges`, `nodes`, `pageInfo` and
/// `totalCount`.
///
/// [`read`](Self::read) counts the documents of the list if the query selects `totalCount`. A connection that is made
/// of a page has no count, and a query that selects it gets an error.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Schema};
/// use fraiseql_graphql::{Prepared, TvConnection};
/// use fraiseql_runtime::list::Page;
///
/// #[derive(TView)]
/// pub struct Post {
///     pub id: i64,
///     #[tview(filter)]
///     pub published: bool,
/// }
///
/// struct Query(sqlx::PgPool);
///
/// #[Object]
/// impl Query {
///     async fn published(
///         &self,
///         ctx: &Context<'_>,
///         first: u32,
///     ) -> async_graphql::Result<TvConnection<Post>> {
///         let list = Post::list().filter(Post::PUBLISHED.eq(true));
///         Ok(TvConnection::read(ctx, &list, Page::first(first.min(100)), &self.0).await?)
///     }
/// }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, published boolean NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, true), (8, false), (9, true)", async |pool| {
/// # migrate::<Post>(&pool).await;
/// # sync_all_posts(&pool).await?;
/// let schema = Schema::build(Query(pool), EmptyMutation, EmptySubscription)
///     .extension(Prepared::default())
///     .finish();
/// let response = schema.execute("{ published(first: 1) { totalCount nodes { id } } }").await;
/// assert_eq!(
///     serde_json::to_string(&response)?,
///     r#"{"data":{"published":{"totalCount":2,"nodes":[{"id":7}]}}}"#
/// );
/// # Ok(()) }) }
/// ```
pub struct TvConnection<T> {
    page: CountedPage,
    of: PhantomData<fn() -> T>,
}

impl<T> From<DocumentPage> for TvConnection<T> {
    fn from(page: DocumentPage) -> Self {
        Self::of(CountedPage {
            page,
            total_count: None,
        })
    }
}

impl<T> TvConnection<T> {
    const fn of(page: CountedPage) -> Self {
        Self {
            page,
            of: PhantomData,
        }
    }
}

impl<T: TView> TvConnection<T> {
    /// Reads a page of a list for the field that is being resolved: one statement, and at the same time a second one
    /// if the query selects `totalCount`.
    ///
    /// # Errors
    /// As [`List::page`].
    pub async fn read(
        ctx: &Context<'_>,
        list: &List<T>,
        page: Page,
        target: impl ReadTarget + Copy,
    ) -> Result<Self, ListError> {
        let inner = ctx.with_selection_set(&ctx.item.node.selection_set);
        let requested = RequestedFields::of(&inner, shape::<T>());
        let selected = SelectedFields::of(&requested.selection);
        Ok(Self::of(selected.read(list, page, target).await?))
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

/// A page, with the number of documents of its list if that was read.
pub(crate) struct CountedPage {
    page: DocumentPage,
    total_count: Option<u64>,
}

/// Writes the selected fields of a page.
pub(crate) fn write(
    writer: &mut DocumentWriter<'_>,
    page: &CountedPage,
    data: Data,
) -> ServerResult<()> {
    let selected = SelectedFields::of(writer.projection().selection());
    if selected.total_count && page.total_count.is_none() {
        return Err(writer.error(
            "the documents of this connection are not counted: `totalCount` needs a resolver that calls \
             `TvConnection::read`",
        ));
    }
    writer.hold(selected.copied_bytes(page))?;
    writer.document(&json(page, data, &selected), None)
}

/// What is selected of a connection.
pub(crate) struct SelectedFields {
    /// The lists of documents. They have the same documents, which are copied only into those.
    lists: Vec<&'static str>,
    /// Whether the documents are counted.
    total_count: bool,
}

impl SelectedFields {
    pub(crate) fn of(selection: &Selection) -> Self {
        let selected = selection.fields();
        let is_selected = |name: &&str| selected.iter().any(|field| field.name == *name);
        Self {
            lists: ["edges", "nodes"].into_iter().filter(is_selected).collect(),
            total_count: is_selected(&TOTAL_COUNT),
        }
    }

    /// Reads a page, and counts the documents of its list if the count is selected.
    pub(crate) async fn read<T>(
        &self,
        list: &List<T>,
        page: Page,
        target: impl ReadTarget + Copy,
    ) -> Result<CountedPage, ListError> {
        let counted = async {
            match self.total_count {
                true => list.count(target).await.map(Some),
                false => Ok(None),
            }
        };
        let (page, total_count) = try_join(list.page(page, target), counted).await?;
        Ok(CountedPage { page, total_count })
    }

    /// The bytes of documents in the JSON of a page, which has a copy in each list.
    pub(crate) fn copied_bytes(&self, page: &CountedPage) -> usize {
        let documents = page.page.items().map(|(_, document)| document.json().len());
        documents.sum::<usize>().saturating_mul(self.lists.len())
    }
}

/// The JSON of a page.
///
/// It has the layout of its documents: the separators of the type in which they are stored, and the keys
/// in the order of the shape. A projection finds keys fastest where it expects them.
pub(crate) fn json(page: &CountedPage, data: Data, selected: &SelectedFields) -> Vec<u8> {
    let CountedPage { page, total_count } = page;
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
    for list in &selected.lists {
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
    add(&["}"]);
    if let Some(count) = total_count {
        add(&[comma, "\"", TOTAL_COUNT, "\"", colon, &count.to_string()]);
    }
    add(&["}"]);
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
