//! Reading many documents: filtered, in order, a page at a time.
//!
//! A list is filtered by promoted fields and the key, and ordered by those with
//! `#[tview(sort)]` and the key; fields have their names in the document. It is one statement,
//! and a page of it begins where the index says, however deep in the list it is.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
//! use fraiseql_runtime::list::{Filter, List, Operator, OrderBy, Page};
//!
//! #[derive(TView)]
//! pub struct Post {
//!     pub id: i64,
//!     pub title: String,
//!     #[tview(filter)]
//!     pub published: bool,
//!     #[tview(sort)]
//!     pub rating: i32,
//! }
//! # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL,
//! #         published boolean NOT NULL, rating int4 NOT NULL);
//! #     INSERT INTO tb_post VALUES (7, 'Notes', true, 3), (8, 'More', false, 4), (9, 'Less', true, 5)",
//! #     async |pool| {
//! # migrate::<Post>(&pool).await;
//! # sync_all_posts(&pool).await?;
//! let list = List::of::<Post>()
//!     .filter(Filter::compare("published", Operator::Eq, true))
//!     .order_by(OrderBy::desc("rating"));
//!
//! let posts: Vec<Post> = list.clone().limit(10).fetch(&pool).await?;
//! assert_eq!(posts[0].title, "Less");
//!
//! // As they are stored, to be sent on: nothing is parsed.
//! for document in &list.read(&pool).await? {
//!     assert!(document.json().starts_with(b"{"));
//! }
//!
//! // Page by page: each begins after the last document of the one before it.
//! let first = list.page(Page::first(1), &pool).await?;
//! assert!(first.has_next());
//! let second = list.page(Page::first(1).after(first.end().cloned()), &pool).await?;
//! assert!(!second.has_next());
//! # Ok(()) }) }
//! ```
//!
//! Documents that are stored in another shape than the struct's are built from the base tables,
//! as in [`TView::find`](crate::TView::find). They are filtered and ordered by the columns that
//! are stored with them.

mod calendar;
mod cursor;
mod error;
mod fields;
mod filter;
mod numeric;
mod order;
mod page;
mod parameters;
mod prune;
mod value;
mod wire;

pub use cursor::Cursor;
pub use error::ListError;
pub use fields::{filterable, sortable};
pub use filter::{Filter, Operator};
pub use order::{Direction, Nulls, OrderBy};
pub use page::{Connection, Documents, Page};
use serde::de::DeserializeOwned;

use self::order::Order;
use self::parameters::Parameters;
use self::wire::Wire;
use crate::read::error::read_failed;
use crate::read::list_rows::{ListRead, ListRow};
use crate::read::target::ReadTarget;
use crate::sql::list::{EXPLAIN, ListQuery};
use crate::view::{Handle, ViewDef};

/// The most that is counted: half of what there is, so that two can be added.
const MOST: u64 = i64::MAX.unsigned_abs() / 2;

/// A list of a view's documents. See [the module](self).
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until it is read"]
pub struct List {
    view: Handle,
    filters: Vec<Filter>,
    order: Vec<OrderBy>,
    limit: Option<u64>,
    offset: Option<u64>,
    omitted: Vec<String>,
}

impl List {
    /// All documents of a view, in the order of their keys.
    pub fn of<T: ViewDef>() -> Self {
        Self::of_view(T::handle())
    }

    /// The same of a view without its type.
    #[doc(hidden)]
    pub const fn of_view(view: Handle) -> Self {
        Self {
            view,
            filters: Vec::new(),
            order: Vec::new(),
            limit: None,
            offset: None,
            omitted: Vec::new(),
        }
    }

    /// Only these documents. Of several filters, all must hold.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// In this order. Of several terms, each orders what is equal in those before it. Behind the
    /// last is always the key, in the direction of the first.
    pub fn order_by(mut self, order: OrderBy) -> Self {
        self.order.push(order);
        self
    }

    /// At most so many.
    pub const fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Without so many of the first. They are read all the same; a [`page`](Self::page) begins
    /// where it begins.
    pub const fn offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// These keys of the documents are not needed. What is worth it is left out in the database,
    /// so that less is sent; the rest is still there. It is for who reads the JSON.
    pub fn omit<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.omitted.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Reads the documents, as they are stored: one statement.
    ///
    /// # Errors
    /// [`ListError`]: where the list is not one of this view, or the database cannot be asked.
    pub async fn read(&self, target: impl ReadTarget) -> Result<Documents, ListError> {
        let rows = target.list(self.statement()?).await?;
        Ok(Documents::of(rows))
    }

    /// Reads the documents as structs: one statement.
    ///
    /// # Errors
    /// As [`read`](Self::read), and when a document does not fit the struct.
    pub async fn fetch<T: DeserializeOwned>(
        &self,
        target: impl ReadTarget,
    ) -> Result<Vec<T>, ListError> {
        let rows = target.list(self.statement()?).await?;
        let parsed = rows.iter().filter_map(|row| row.parse(self.view));
        Ok(parsed.collect::<crate::Result<_>>()?)
    }

    /// Reads a page: one statement, which begins at the page's cursor by index.
    ///
    /// A document that is there all the time is on exactly one page of a walk, whatever is
    /// inserted and deleted meanwhile, unless its own place in the order changes. A page has less
    /// documents than there are on it only where one is of an older shape, and its row is gone.
    ///
    /// # Errors
    /// As [`read`](Self::read), and when a cursor is not of this list.
    pub async fn page(&self, page: Page, target: impl ReadTarget) -> Result<Connection, ListError> {
        let (read, order) = self.prepare(Some(&page))?;
        let fingerprint = order.fingerprint(self.view.view);
        let mut rows = target.list(read).await?;
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        if page.from_end {
            rows.reverse();
        }
        let places = rows
            .iter()
            .map(|row| Ok(Cursor::new(fingerprint, row.values(&order.terms)?)))
            .collect::<sqlx::Result<Vec<_>>>()
            .map_err(read_failed(self.view))?;
        let (start, end) = (places.first().cloned(), places.last().cloned());
        let items = places
            .into_iter()
            .zip(rows)
            .filter_map(|(cursor, row)| Some((cursor, row.into_document()?)))
            .collect();
        let (has_next, has_previous) = if page.from_end {
            (page.before.is_some(), more)
        } else {
            (more, page.after.is_some())
        };
        Ok(Connection {
            items,
            start,
            end,
            has_next,
            has_previous,
        })
    }

    /// How PostgreSQL would read the list: the plan of its statement, with its values.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn explain(&self, target: impl ReadTarget) -> Result<String, ListError> {
        explain(self.statement()?, target).await
    }

    /// The same of a page.
    ///
    /// # Errors
    /// As [`page`](Self::page).
    pub async fn explain_page(
        &self,
        page: Page,
        target: impl ReadTarget,
    ) -> Result<String, ListError> {
        explain(self.prepare(Some(&page))?.0, target).await
    }

    /// The statement of the list, for people to see. What is filtered by is in parameters.
    ///
    /// # Errors
    /// [`ListError`], where the list is not one of this view.
    pub fn sql(&self) -> Result<String, ListError> {
        Ok(self.statement()?.sql.to_string())
    }

    /// The statement of a page.
    ///
    /// # Errors
    /// [`ListError`], where the list is not one of this view, or a cursor not of this list.
    pub fn page_sql(&self, page: &Page) -> Result<String, ListError> {
        Ok(self.prepare(Some(page))?.0.sql.to_string())
    }

    /// The statement with its values.
    #[doc(hidden)]
    pub fn statement(&self) -> Result<ListRead, ListError> {
        Ok(self.prepare(None)?.0)
    }

    /// The same of a page, too, and the order as it was asked for.
    fn prepare(&self, page: Option<&Page>) -> Result<(ListRead, Order), ListError> {
        let view = self.view.view;
        let mut parameters = Parameters::default();
        let condition = Filter::condition(&self.filters, view, &mut parameters)?;
        let order = Order::of(view, &self.order)?;
        let omitted = prune::pruned(view, &self.omitted)?;
        let mut terms = order.terms.clone();
        let (mut after, mut before) = (None, None);
        let (limit, offset) = match page {
            None => (self.limit, self.offset),
            Some(_) if self.limit.is_some() || self.offset.is_some() => {
                return Err(ListError::LimitOfPage);
            }
            Some(page) => {
                let mut bound = |cursor: &Option<Cursor>| {
                    let cursor = cursor.as_ref();
                    cursor
                        .map(|cursor| cursor.bound(view, &order, &mut parameters))
                        .transpose()
                };
                after = bound(&page.after)?;
                before = bound(&page.before)?;
                if page.from_end {
                    (after, before) = (before, after);
                    terms = terms.into_iter().map(|term| term.reversed()).collect();
                }
                // One more shows whether there are more.
                (Some(u64::from(page.size) + 1), None)
            }
        };
        // The first row is where a list begins anyway.
        let offset = offset.filter(|offset| *offset > 0);
        let query = ListQuery {
            view,
            shape: self.view.statements().shape,
            condition,
            order: terms,
            after,
            before,
            limit: limit.map(|limit| limit.min(MOST)),
            offset: offset.map(|offset| parameters.push(Wire::int8(offset))),
            without: (!omitted.is_empty()).then(|| parameters.push(Wire::texts(omitted))),
            with_terms: page.is_some(),
        };
        let read = ListRead {
            view: self.view,
            sql: query.compose().into(),
            arguments: parameters.arguments()?,
        };
        Ok((read, order))
    }
}

async fn explain(mut read: ListRead, target: impl ReadTarget) -> Result<String, ListError> {
    read.sql = format!("{EXPLAIN}{}", read.sql).into();
    let rows = target.list(read).await?;
    let lines: Vec<_> = rows
        .iter()
        .filter_map(ListRow::document)
        .map(|line| String::from_utf8_lossy(line.json()))
        .collect();
    Ok(lines.join("\n"))
}
