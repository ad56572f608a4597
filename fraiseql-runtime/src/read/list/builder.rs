//! `List`: filter, order and limit of a list, and the ways to read it.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::error::ListError;
use super::kept::KeptStatement;
use super::page::{DocumentPage, Documents, Page};
use super::spec::{ListSpec, MaxBytes};
use super::typed::{AnyView, IntoFilter, IntoOrder};
use super::unless::DocumentUnless;
use crate::db::byte_limit::ByteLimit;
use crate::read::scope::Scope;
use crate::read::target::ReadTarget;
use crate::view::{Handle, WithoutTenant};

/// A list of a view's documents. See [the module](super).
///
/// `V` is the view, whose [columns](super::Column) the list takes in filters and orders. A list of a view that is
/// only known at run time is a `List`, that is `List<AnyView>`, which any list becomes by
/// [`of_any_view`](Self::of_any_view).
#[must_use = "a list does nothing until it is read"]
pub struct List<V = AnyView> {
    spec: ListSpec,
    of: PhantomData<fn() -> V>,
}

impl List {
    /// All documents of a view without a tenant, ordered by key. Of a view with one, a list is begun by
    /// [`TView::of`](crate::TView::of) or [`TView::across_tenants`](crate::TView::across_tenants).
    pub fn of<T: WithoutTenant>() -> List<T> {
        List::of_view(T::handle()).typed()
    }

    /// As [`of`](Self::of), for a view without its type. Of a view with a tenant, the list has no
    /// documents.
    #[doc(hidden)]
    pub const fn of_view(view: Handle) -> Self {
        Self::scoped(view, Scope::Whole)
    }

    /// The documents of a scope, ordered by key.
    #[doc(hidden)]
    pub const fn scoped(view: Handle, scope: Scope) -> Self {
        Self {
            spec: ListSpec {
                view,
                scope,
                filters: Vec::new(),
                order: Vec::new(),
                limit: None,
                offset: None,
                omitted: Vec::new(),
                only: None,
                max_bytes: MaxBytes::Unlimited,
                held: None,
                kept: None,
            },
            of: PhantomData,
        }
    }
}

impl<V> List<V> {
    /// The list with the type of its view.
    pub(in crate::read) fn typed<T>(self) -> List<T> {
        List {
            spec: self.spec,
            of: PhantomData,
        }
    }

    /// The view.
    pub(crate) const fn view(&self) -> Handle {
        self.spec.view
    }

    /// Whose documents it has.
    pub(crate) const fn scope(&self) -> &Scope {
        &self.spec.scope
    }

    /// The list without the type of its view: for code that reads lists of several views.
    pub fn of_any_view(self) -> List {
        self.typed()
    }

    /// Restricts the list to documents that meet a filter. If it is called several times,
    /// documents must meet all of the filters.
    pub fn filter(mut self, filter: impl IntoFilter<V>) -> Self {
        self.spec.filters.push(filter.into_filter());
        self
    }

    /// Adds a term to the order: it orders documents that are equal in the terms before it. The
    /// last term is always the key, in the direction of the first term.
    pub fn order_by(mut self, order: impl IntoOrder<V>) -> Self {
        self.spec.order.push(order.into_order());
        self
    }

    /// Reads at most `limit` documents.
    pub const fn limit(mut self, limit: u64) -> Self {
        self.spec.limit = Some(limit);
        self
    }

    /// Skips the first `offset` documents. The database reads them nevertheless; a
    /// [`page`](Self::page) does not.
    pub const fn offset(mut self, offset: u64) -> Self {
        self.spec.offset = Some(offset);
        self
    }

    /// Declares that the caller does not need these keys of the documents. The database removes
    /// them, so that less is sent, if this is faster; otherwise they are still there. It is for
    /// callers that read the JSON: a struct needs all of its fields.
    pub fn omit<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.spec.omitted.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Declares that the caller needs these keys of the documents, and no others. If each of them is the key or a
    /// promoted field, of a type that is listed in [serving](crate::guide::serving#lists-from-columns), the documents
    /// are not read: their JSON has these keys only, written from the columns. Otherwise this has no effect. It
    /// is for callers that read the JSON: a struct needs all of its fields.
    ///
    /// If it is called several times, the last call counts.
    pub fn only<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.spec.only = Some(keys.into_iter().map(Into::into).collect());
        self
    }

    /// Ends a read with [`Error::TooManyBytes`](crate::Error::TooManyBytes) as soon as it has
    /// received more than this many bytes. Without it, a read takes as much memory as its documents
    /// have.
    ///
    /// The limit is for each read of the list. A single document is received as a whole, however
    /// large it is.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(Debug, TView)]
    /// # pub struct Post { pub id: i64, pub content: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, content text NOT NULL);
    /// #     INSERT INTO tb_post SELECT i, repeat('x', 100000) FROM generate_series(1, 100) AS i", async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// # sync_all_posts(&pool).await?;
    /// use fraiseql_runtime::Error;
    /// use fraiseql_runtime::list::ListError;
    ///
    /// let list = Post::list().max_bytes(1_000_000);
    /// assert_eq!(list.clone().limit(9).fetch::<Post>(&pool).await?.len(), 9);
    /// let error = list.fetch::<Post>(&pool).await.unwrap_err();
    /// assert!(matches!(error, ListError::Read(Error::TooManyBytes { max: 1_000_000, .. })));
    /// # Ok(()) }) }
    /// ```
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.spec.max_bytes = MaxBytes::Each(bytes);
        self
    }

    /// As [`max_bytes`](Self::max_bytes), with a limit that other reads share.
    #[doc(hidden)]
    pub fn within(mut self, limit: Option<Arc<dyn ByteLimit>>) -> Self {
        self.spec.max_bytes = limit.map_or(MaxBytes::Unlimited, MaxBytes::Shared);
        self
    }

    /// The same list, which takes the text of its statement from an earlier list, if it differs from that
    /// in values only.
    #[doc(hidden)]
    pub fn kept_in(mut self, kept: &Arc<KeptStatement>) -> Self {
        self.spec.kept = Some(Arc::clone(kept));
        self
    }

    /// Whether whole documents are read, and not what [`omit`](Self::omit) and [`only`](Self::only) leave of them.
    ///
    /// # Errors
    /// [`ListError`]: if the view does not have what the list names.
    #[doc(hidden)]
    pub fn reads_whole_documents(&self) -> Result<bool, ListError> {
        self.spec.reads_whole_documents()
    }

    /// Reads the documents as they are stored, with one statement.
    ///
    /// # Errors
    /// [`ListError`]: if the view does not have what the list names, or the query fails.
    pub async fn read(&self, target: impl ReadTarget) -> Result<Documents, ListError> {
        self.spec.read(target).await
    }

    /// Reads the first document of the list with its version, unless it has one of these versions. It is for lists of
    /// one document at most.
    #[doc(hidden)]
    pub async fn read_unless(
        self,
        held: Vec<String>,
        target: impl ReadTarget,
    ) -> Result<DocumentUnless, ListError> {
        self.spec.read_unless(held, target).await
    }

    /// Reads the documents as structs, with one statement.
    ///
    /// # Errors
    /// As [`read`](Self::read), and if a document cannot be deserialized as the struct.
    pub async fn fetch<T: DeserializeOwned>(
        &self,
        target: impl ReadTarget,
    ) -> Result<Vec<T>, ListError> {
        self.spec.fetch(target).await
    }

    /// Reads a page with one statement, which starts at the cursor of the page by an index scan.
    ///
    /// If an application reads page after page, a document that exists all the time is on exactly
    /// one of them, whatever is inserted and deleted meanwhile, unless its own position in the
    /// order changes. A page can have fewer documents than its size, and more pages after it: a
    /// stale document whose row was deleted is skipped.
    ///
    /// # Errors
    /// As [`read`](Self::read), and if a cursor does not belong to this list.
    pub async fn page(
        &self,
        page: Page,
        target: impl ReadTarget,
    ) -> Result<DocumentPage, ListError> {
        self.spec.page(page, target).await
    }

    /// Counts the documents of the list, with one statement: those of its tenant that meet its filters, whatever its
    /// limit, offset and order are. The time grows with the number of documents that are counted.
    ///
    /// The documents are those that are stored: a stale one whose row was deleted counts until it is synced. A
    /// count and a read beside it are two statements: in a `REPEATABLE READ` transaction they see the same documents.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # pub struct Post {
    /// #     pub id: i64,
    /// #     #[tview(sort)]
    /// #     pub rating: i32,
    /// # }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, rating int4 NOT NULL);
    /// #     INSERT INTO tb_post SELECT i, i % 5 FROM generate_series(1, 100) AS i", async |pool| {
    /// # migrate::<Post>(&pool).await;
    /// # sync_all_posts(&pool).await?;
    /// let good = Post::list().filter(Post::RATING.gte(3)).limit(10);
    /// assert_eq!(good.count(&pool).await?, 40);
    /// assert_eq!(good.fetch::<Post>(&pool).await?.len(), 10);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// [`ListError`]: if the view does not have what the filters name, or the query fails.
    pub async fn count(&self, target: impl ReadTarget) -> Result<u64, ListError> {
        self.spec.count(target).await
    }

    /// Explains the list: the plan that PostgreSQL chooses for its statement and values.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn explain(&self, target: impl ReadTarget) -> Result<String, ListError> {
        self.spec.explain(target).await
    }

    /// Explains a page, as [`explain`](Self::explain) does a list.
    ///
    /// # Errors
    /// As [`page`](Self::page).
    pub async fn explain_page(
        &self,
        page: Page,
        target: impl ReadTarget,
    ) -> Result<String, ListError> {
        self.spec.explain_page(page, target).await
    }

    /// The text of the list's statement. The values of filters are parameters.
    ///
    /// # Errors
    /// [`ListError`], if the view does not have what the list names.
    pub fn sql(&self) -> Result<String, ListError> {
        self.spec.sql()
    }

    /// The text of the statement of a page.
    ///
    /// # Errors
    /// [`ListError`], if the view does not have what the list names, or a cursor does not belong
    /// to this list.
    pub fn page_sql(&self, page: &Page) -> Result<String, ListError> {
        self.spec.page_sql(page)
    }
}

impl<V> Clone for List<V> {
    fn clone(&self) -> Self {
        Self {
            spec: self.spec.clone(),
            of: PhantomData,
        }
    }
}

impl<V> fmt::Debug for List<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}
