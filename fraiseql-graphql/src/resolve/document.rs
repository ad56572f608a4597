//! Values of resolvers: a document, and a list of documents.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};
use serde_json::value::RawValue;

use crate::resolve::document_writer::DocumentWriter;
use crate::schema::types;
use fraiseql_runtime::__graphql::{Scope, documents};
use fraiseql_runtime::Embed;
use fraiseql_runtime::ReadTarget;
use fraiseql_runtime::Result;
use fraiseql_runtime::Scoped;
use fraiseql_runtime::TView;
use fraiseql_runtime::read::Document;
use fraiseql_runtime::view::{WithTenant, WithoutTenant};

/// A document as the value of a resolver. The fields that the query selects are copied from the
/// stored bytes.
///
/// Its GraphQL type is the object type of the struct `T`.
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
///     /// Usually `TvDoc::find(&pool, id)`.
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

/// Documents as the value of a resolver: a list of non-null elements, each like a [`TvDoc`].
///
/// It can be collected from the documents of [`List::read`](fraiseql_runtime::list::List::read),
/// from JSON, or from [`TvDoc`]s:
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

/// The JSON of a document, by its owner.
pub(super) enum Content {
    Stored(Document),
    Raw(Box<RawValue>),
    Shared(Arc<RawValue>),
}

impl Content {
    pub(super) fn json(&self) -> &[u8] {
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

    pub(super) fn into_content(self) -> Content {
        self.content
    }
}

impl<T: TView + WithoutTenant> TvDoc<T> {
    /// Reads the document of `key`. `None` if there is none.
    ///
    /// # Errors
    /// Those of [`TView::find`].
    pub async fn find(target: impl ReadTarget, key: T::Key) -> Result<Option<Self>> {
        let found = documents(target, T::handle(), Scope::Whole, &[key]).await?;
        Ok(found.into_iter().next().map(Self::from))
    }
}

impl<T: WithTenant> TvDoc<T> {
    /// Reads the document of `key` of one tenant, or of all: `TvDoc::find_in(&Post::of(org), &pool, id)`.
    /// `None` if there is none.
    ///
    /// # Errors
    /// Those of [`Scoped::find`].
    pub async fn find_in(
        scoped: &Scoped<T>,
        target: impl ReadTarget,
        key: T::DocumentKey,
    ) -> Result<Option<Self>> {
        let found = documents(target, T::handle(), scoped.scope().clone(), &[key]).await?;
        Ok(found.into_iter().next().map(Self::from))
    }
}

impl<T: WithTenant> TvList<T> {
    /// Reads the documents of `keys` of one tenant, or of all, in one statement, in the order of the
    /// keys. Keys without a document, and those of other tenants' documents, are skipped.
    ///
    /// # Errors
    /// Those of [`Scoped::find_many`].
    pub async fn find_in(
        scoped: &Scoped<T>,
        target: impl ReadTarget,
        keys: &[T::DocumentKey],
    ) -> Result<Self> {
        let found = documents(target, T::handle(), scoped.scope().clone(), keys).await?;
        Ok(found.into_iter().collect())
    }
}

impl<T: TView + WithoutTenant> TvList<T> {
    /// Reads the documents of `keys` in one statement, in the order of the keys. Keys without a
    /// document are skipped.
    ///
    /// # Errors
    /// Those of [`TView::find_many`].
    pub async fn find(target: impl ReadTarget, keys: &[T::Key]) -> Result<Self> {
        let found = documents(target, T::handle(), Scope::Whole, keys).await?;
        Ok(found.into_iter().collect())
    }
}

/// From a document that [`TView::find_json`] has read, or other JSON in the form of one.
impl<T: Embed> From<Box<RawValue>> for TvDoc<T> {
    fn from(json: Box<RawValue>) -> Self {
        Self::new(Content::Raw(json))
    }
}

/// From a document that is shared in memory, such as a cached one.
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

    /// The number of documents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.contents.len()
    }

    /// Whether the list has no documents.
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
        let mut writer = DocumentWriter::of(ctx, T::SHAPE)?;
        writer.document(self.content.json(), None)?;
        writer.finish().await
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
        let mut writer = DocumentWriter::of(ctx, T::SHAPE)?;
        writer.list(self.contents.iter().map(Content::json))?;
        writer.finish().await
    }
}
