//! Documents as values of resolvers.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, OutputType, PathSegment, Positioned, ServerError, ServerResult, Value,
};
use serde_json::value::RawValue;

use crate::request::context::Kept;
use crate::resolve::requested_fields::Asked;
use crate::response::{ErrorPath, MAX_RESERVED_BYTES, raw};
use crate::schema::types;
use fraiseql_runtime::__graphql as read;
use fraiseql_runtime::Embed;
use fraiseql_runtime::ReadTarget;
use fraiseql_runtime::Result;
use fraiseql_runtime::TView;
use fraiseql_runtime::read::Document;
use fraiseql_runtime::schema::Shape;
use fraiseql_runtime::select::{Projection, ProjectionError, Segment};

/// A document as the value of a resolver: answered with the fields that the query selects, out
/// of the bytes that were read.
///
/// Its GraphQL type is that of the struct, with the struct's fields.
///
/// ```
/// use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
/// use fraiseql_runtime::TView;
/// use fraiseql_graphql::TvDoc;
/// use serde_json::value::RawValue;
///
/// #[derive(TView)]
/// struct Post { id: i64, title: String }
///
/// struct Query;
///
/// #[Object]
/// impl Query {
///     /// Mostly `TvDoc::find(&pool, id)`.
///     async fn post(&self) -> async_graphql::Result<TvDoc<Post>> {
///         let json = r#"{"id": 7, "title": "Notes"}"#;
///         Ok(RawValue::from_string(json.to_owned())?.into())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), serde_json::Error> {
/// let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
/// let answer = schema.execute("{ post { title } }").await;
/// assert_eq!(serde_json::to_string(&answer)?, r#"{"data":{"post":{"title":"Notes"}}}"#);
/// # Ok(()) }
/// ```
pub struct TvDoc<T> {
    content: Content,
    of: PhantomData<fn() -> T>,
}

/// Documents as the value of a resolver: a list of what [`TvDoc`] is one of, never null.
///
/// It is collected from what [`List::read`](fraiseql_runtime::list::List::read) gives, from JSON, or from
/// [`TvDoc`]s:
///
/// ```
/// use fraiseql_runtime::TView;
/// use fraiseql_graphql::TvList;
/// use fraiseql_runtime::list::OrderBy;
///
/// #[derive(TView)]
/// struct Post {
///     id: i64,
///     #[tview(sort)]
///     rating: i32,
/// }
///
/// /// The body of a resolver.
/// async fn best(pool: &sqlx::PgPool) -> async_graphql::Result<TvList<Post>> {
///     let best = Post::list().order_by(OrderBy::desc("rating")).limit(3);
///     Ok(best.read(pool).await?.into_iter().collect())
/// }
/// # fn main() {}
/// ```
pub struct TvList<T> {
    contents: Vec<Content>,
    of: PhantomData<fn() -> T>,
}

/// Where the JSON of a document is.
enum Content {
    Stored(Document),
    Raw(Box<RawValue>),
    Shared(Arc<RawValue>),
}

impl Content {
    fn json(&self) -> &[u8] {
        match self {
            Self::Stored(document) => document.json(),
            Self::Raw(raw) => raw.get().as_bytes(),
            Self::Shared(raw) => raw.get().as_bytes(),
        }
    }
}

impl<T: Embed> TvDoc<T> {
    fn new(content: Content) -> Self {
        Self {
            content,
            of: PhantomData,
        }
    }

    /// The document's JSON.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        self.content.json()
    }
}

impl<T: TView> TvDoc<T> {
    /// Reads the document of `key`; `None` where there is none.
    ///
    /// # Errors
    /// As [`TView::find`].
    pub async fn find(target: impl ReadTarget, key: T::Key) -> Result<Option<Self>> {
        let documents = read::documents(target, T::handle(), &[key]).await?;
        Ok(documents.into_iter().next().map(Self::from))
    }
}

impl<T: TView> TvList<T> {
    /// Reads the documents of `keys`, in their order, in one statement. Keys without a document
    /// are left out.
    ///
    /// # Errors
    /// As [`TView::find_many`].
    pub async fn find(target: impl ReadTarget, keys: &[T::Key]) -> Result<Self> {
        let documents = read::documents(target, T::handle(), keys).await?;
        Ok(documents.into_iter().collect())
    }
}

/// A document that was read with [`TView::find_json`], or the JSON of one.
impl<T: Embed> From<Box<RawValue>> for TvDoc<T> {
    fn from(json: Box<RawValue>) -> Self {
        Self::new(Content::Raw(json))
    }
}

/// A document that is kept in memory.
impl<T: Embed> From<Arc<RawValue>> for TvDoc<T> {
    fn from(json: Arc<RawValue>) -> Self {
        Self::new(Content::Shared(json))
    }
}

impl<T: Embed> From<Document> for TvDoc<T> {
    fn from(document: Document) -> Self {
        Self::new(Content::Stored(document))
    }
}

impl<T> FromIterator<Document> for TvList<T> {
    fn from_iter<I: IntoIterator<Item = Document>>(documents: I) -> Self {
        Self::of(documents.into_iter().map(Content::Stored))
    }
}

impl<T> FromIterator<Box<RawValue>> for TvList<T> {
    fn from_iter<I: IntoIterator<Item = Box<RawValue>>>(documents: I) -> Self {
        Self::of(documents.into_iter().map(Content::Raw))
    }
}

impl<T> FromIterator<Arc<RawValue>> for TvList<T> {
    fn from_iter<I: IntoIterator<Item = Arc<RawValue>>>(documents: I) -> Self {
        Self::of(documents.into_iter().map(Content::Shared))
    }
}

impl<T> FromIterator<TvDoc<T>> for TvList<T> {
    fn from_iter<I: IntoIterator<Item = TvDoc<T>>>(documents: I) -> Self {
        Self::of(documents.into_iter().map(|document| document.content))
    }
}

impl<T> TvList<T> {
    fn of(contents: impl Iterator<Item = Content>) -> Self {
        Self {
            contents: contents.collect(),
            of: PhantomData,
        }
    }

    /// How many documents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.contents.len()
    }

    /// Whether there is no document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contents.is_empty()
    }
}

impl<T: Embed> OutputType for TvDoc<T> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(T::SHAPE.type_name)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        format!("{}!", types::object(registry, T::SHAPE))
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let mut answer = Answer::of(ctx, T::SHAPE)?;
        answer.document(self.content.json(), None)?;
        answer.finish()
    }
}

impl<T: Embed> OutputType for TvList<T> {
    fn type_name() -> Cow<'static, str> {
        Cow::Owned(format!("[{}!]", T::SHAPE.type_name))
    }

    fn qualified_type_name() -> String {
        format!("[{}!]!", T::SHAPE.type_name)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        types::object(registry, T::SHAPE);
        Self::qualified_type_name()
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let mut answer = Answer::of(ctx, T::SHAPE)?;
        answer.list(self.contents.iter().map(Content::json))?;
        answer.finish()
    }
}

/// The answer to a field that is made of documents.
pub(crate) struct Answer<'a> {
    ctx: &'a ContextSelectionSet<'a>,
    projection: Projection,
    as_values: bool,
    out: Vec<u8>,
}

impl<'a> Answer<'a> {
    pub(crate) fn of(
        ctx: &'a ContextSelectionSet<'a>,
        shape: &'static Shape,
    ) -> ServerResult<Self> {
        let asked = Asked::of(ctx, shape);
        let projection = match ctx.data_opt::<Kept>() {
            Some(Kept(query)) => query.projection(shape, &asked.selection),
            None => Projection::of_asked(shape, &asked.selection),
        };
        let projection =
            projection.map_err(|error| ServerError::new(error.to_string(), Some(ctx.item.pos)))?;
        Ok(Self {
            ctx,
            projection,
            as_values: asked.as_values,
            out: Vec::new(),
        })
    }

    pub(crate) fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Whether it is made of values, and not of bytes.
    pub(crate) const fn as_values(&self) -> bool {
        self.as_values
    }

    /// Adds what is asked of a document.
    pub(crate) fn document(&mut self, json: &[u8], index: Option<usize>) -> ServerResult<()> {
        let mut errors = Vec::new();
        let written = self.projection.write_with(json, &mut self.out, &mut errors);
        if errors.is_empty() {
            return Ok(());
        }
        let mut errors = errors.iter().map(|error| self.located(error, index));
        if written {
            errors.for_each(|error| self.ctx.add_error(error));
            return Ok(());
        }
        // The last one is why there is no document: the others are told as well.
        let last = errors.next_back();
        errors.for_each(|error| self.ctx.add_error(error));
        Err(last.unwrap_or_else(|| ServerError::new("the document is null", None)))
    }

    /// Whether a field of the outermost object is asked for.
    pub(crate) fn asks_for(&self, field: &str) -> bool {
        let mut asked = self.projection.selection().fields().iter();
        asked.any(|selected| selected.name == field)
    }

    /// Adds what is asked of each of the documents of a list.
    pub(crate) fn list<'d>(
        &mut self,
        documents: impl Iterator<Item = &'d [u8]> + Clone,
    ) -> ServerResult<()> {
        let size: usize = documents.clone().map(<[u8]>::len).sum();
        self.out.reserve(size.min(MAX_RESERVED_BYTES));
        self.out.push(b'[');
        for (index, json) in documents.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.document(json, Some(index))?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn located(&self, error: &ProjectionError, index: Option<usize>) -> ServerError {
        let located = ServerError::new(error.to_string(), Some(self.ctx.item.pos));
        let mut located = self.ctx.set_error_path(located);
        located.path.extend(index.map(PathSegment::Index));
        located
            .path
            .extend(error.path().iter().map(|segment| match segment {
                Segment::Name(name) => PathSegment::Field(name.clone()),
                Segment::Index(index) => PathSegment::Index(*index),
            }));
        located.source = Some(Arc::new(ErrorPath(located.path.clone())));
        located
    }

    pub(crate) fn finish(self) -> ServerResult<Value> {
        let fail = |text: String| ServerError::new(text, Some(self.ctx.item.pos));
        if self.as_values {
            return serde_json::from_slice(&self.out).map_err(|error| fail(error.to_string()));
        }
        String::from_utf8(self.out)
            .map(raw)
            .map_err(|error| fail(error.to_string()))
    }
}
