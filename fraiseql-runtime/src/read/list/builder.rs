//! `List`: filter, order and limit of a list, and the ways to read it.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::cursor::Cursor;
use super::error::ListError;
use super::filter::Filter;
use super::order::OrderBy;
use super::page::{DocumentPage, Documents, Page};
use crate::db::byte_limit::{self, ByteLimit};
use crate::read::error::read_failed;
use crate::read::list_rows::{ListRead, ListRow};
use crate::read::target::ReadTarget;
use crate::sql::list::EXPLAIN;
use crate::view::{Handle, ViewDef};

/// How many bytes the reads of a list may receive.
#[derive(Clone, Debug)]
pub(super) enum MaxBytes {
    Unlimited,
    Each(usize),
    Shared(Arc<dyn ByteLimit>),
}

impl MaxBytes {
    /// The limit of one read.
    pub(super) fn of_read(&self) -> Option<Arc<dyn ByteLimit>> {
        match self {
            Self::Unlimited => None,
            Self::Each(max) => Some(Arc::new(byte_limit::MaxBytes::new(*max))),
            Self::Shared(limit) => Some(Arc::clone(limit)),
        }
    }
}

/// A list of a view's documents. See [the module](super).
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until it is read"]
pub struct List {
    pub(super) view: Handle,
    pub(super) filters: Vec<Filter>,
    pub(super) order: Vec<OrderBy>,
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
    pub(super) omitted: Vec<String>,
    pub(super) max_bytes: MaxBytes,
}

impl List {
    /// All documents of a view, ordered by key.
    pub fn of<T: ViewDef>() -> Self {
        Self::of_view(T::handle())
    }

    /// As [`of`](Self::of), for a view without its type.
    #[doc(hidden)]
    pub const fn of_view(view: Handle) -> Self {
        Self {
            view,
            filters: Vec::new(),
            order: Vec::new(),
            limit: None,
            offset: None,
            omitted: Vec::new(),
            max_bytes: MaxBytes::Unlimited,
        }
    }

    /// Restricts the list to documents that meet a filter. If it is called several times,
    /// documents must meet all of the filters.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Adds a term to the order: it orders documents that are equal in the terms before it. The
    /// last term is always the key, in the direction of the first term.
    pub fn order_by(mut self, order: OrderBy) -> Self {
        self.order.push(order);
        self
    }

    /// Reads at most `limit` documents.
    pub const fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Skips the first `offset` documents. The database reads them nevertheless; a
    /// [`page`](Self::page) does not.
    pub const fn offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// Declares that the caller does not need these keys of the documents. The database removes
    /// them, so that less is sent, if this is faster; otherwise they are still there. It is for
    /// callers that read the JSON: a struct needs all of its fields.
    pub fn omit<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.omitted.extend(keys.into_iter().map(Into::into));
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
        self.max_bytes = MaxBytes::Each(bytes);
        self
    }

    /// As [`max_bytes`](Self::max_bytes), with a limit that other reads share.
    #[doc(hidden)]
    pub fn within(mut self, limit: Option<Arc<dyn ByteLimit>>) -> Self {
        self.max_bytes = limit.map_or(MaxBytes::Unlimited, MaxBytes::Shared);
        self
    }

    /// Reads the documents as they are stored, with one statement.
    ///
    /// # Errors
    /// [`ListError`]: if the view does not have what the list names, or the query fails.
    pub async fn read(&self, target: impl ReadTarget) -> Result<Documents, ListError> {
        let rows = target.list(self.statement()?).await?;
        Ok(Documents::of(rows))
    }

    /// Reads the documents as structs, with one statement.
    ///
    /// # Errors
    /// As [`read`](Self::read), and if a document cannot be deserialized as the struct.
    pub async fn fetch<T: DeserializeOwned>(
        &self,
        target: impl ReadTarget,
    ) -> Result<Vec<T>, ListError> {
        let rows = target.list(self.statement()?).await?;
        let parsed = rows.iter().filter_map(|row| row.parse(self.view));
        Ok(parsed.collect::<crate::Result<_>>()?)
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
        let (read, order) = self.compose(Some(&page))?;
        let fingerprint = order.fingerprint(self.view.view);
        let mut rows = target.list(read).await?;
        // The statement reads one row more than the page has. If it is there, so is another page.
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        if page.from_end {
            rows.reverse();
        }
        // Every row has a cursor, even if its document is gone: the next page begins after the
        // last row that was read.
        let cursors = rows
            .iter()
            .map(|row| Ok(Cursor::new(fingerprint, row.values(&order.terms)?)))
            .collect::<sqlx::Result<Vec<_>>>()
            .map_err(read_failed(self.view))?;
        let (start, end) = (cursors.first().cloned(), cursors.last().cloned());
        let items = cursors
            .into_iter()
            .zip(rows)
            .filter_map(|(cursor, row)| Some((cursor, row.into_document()?)))
            .collect();
        let (has_next, has_previous) = if page.from_end {
            (page.before.is_some(), more)
        } else {
            (more, page.after.is_some())
        };
        Ok(DocumentPage {
            items,
            start,
            end,
            has_next,
            has_previous,
        })
    }

    /// Explains the list: the plan that PostgreSQL chooses for its statement and values.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn explain(&self, target: impl ReadTarget) -> Result<String, ListError> {
        explain(self.statement()?, target).await
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
        explain(self.compose(Some(&page))?.0, target).await
    }

    /// The text of the list's statement. The values of filters are parameters.
    ///
    /// # Errors
    /// [`ListError`], if the view does not have what the list names.
    pub fn sql(&self) -> Result<String, ListError> {
        Ok(self.statement()?.sql.to_string())
    }

    /// The text of the statement of a page.
    ///
    /// # Errors
    /// [`ListError`], if the view does not have what the list names, or a cursor does not belong
    /// to this list.
    pub fn page_sql(&self, page: &Page) -> Result<String, ListError> {
        Ok(self.compose(Some(page))?.0.sql.to_string())
    }

    /// The statement with its parameters.
    #[doc(hidden)]
    pub fn statement(&self) -> Result<ListRead, ListError> {
        Ok(self.compose(None)?.0)
    }
}

async fn explain(mut read: ListRead, target: impl ReadTarget) -> Result<String, ListError> {
    read.sql = format!("{EXPLAIN}{}", read.sql).into();
    let rows = target.list(read).await?;
    // Each row of a plan has its text where the row of a list has its document.
    let lines: Vec<_> = rows
        .iter()
        .filter_map(ListRow::document)
        .map(|line| String::from_utf8_lossy(line.json()))
        .collect();
    Ok(lines.join("\n"))
}
