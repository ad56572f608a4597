//! `ListSpec`: what is read, without the type of the view, and the ways to read it.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::cursor::Cursor;
use super::error::ListError;
use super::filter::Filter;
use super::kept::KeptStatement;
use super::order::OrderBy;
use super::page::{DocumentPage, Documents, Page};
use super::statement::Shown;
use crate::db::byte_limit::{self, ByteLimit};
use crate::read::error::read_failed;
use crate::read::list_rows::{ListRead, ListRow};
use crate::read::scope::Scope;
use crate::read::target::ReadTarget;
use crate::view::Handle;

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

/// The contents of a [`List`](super::List). Its methods are those of the list: here they are compiled once, and not
/// for each view.
#[derive(Clone, Debug)]
pub(super) struct ListSpec {
    pub(super) view: Handle,
    pub(super) scope: Scope,
    pub(super) filters: Vec<Filter>,
    pub(super) order: Vec<OrderBy>,
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
    pub(super) omitted: Vec<String>,
    /// The keys that are needed; all, if there are none.
    pub(super) only: Option<Vec<String>>,
    pub(super) max_bytes: MaxBytes,
    /// The versions that the caller has, if it asks for those of documents.
    pub(super) held: Option<Vec<String>>,
    /// Where the text of an earlier statement is kept.
    pub(super) kept: Option<Arc<KeptStatement>>,
}

impl ListSpec {
    /// The same list of the view that a target reads.
    pub(super) fn on(&self, target: &impl ReadTarget) -> Cow<'_, Self> {
        let view = target.view(self.view);
        match std::ptr::eq(view.view, self.view.view) {
            true => Cow::Borrowed(self),
            false => Cow::Owned(Self {
                view,
                ..self.clone()
            }),
        }
    }

    pub(super) async fn read(&self, target: impl ReadTarget) -> Result<Documents, ListError> {
        let list = self.on(&target);
        let rows = target.list(list.statement()?).await?;
        Ok(Documents::of(rows))
    }

    pub(super) async fn fetch<T: DeserializeOwned>(
        &self,
        target: impl ReadTarget,
    ) -> Result<Vec<T>, ListError> {
        let list = self.on(&target);
        let (read, _) = list.compose(Shown::Structs)?;
        let rows = target.list(read).await?;
        let parsed = rows.iter().filter_map(|row| row.parse(list.view));
        Ok(parsed.collect::<crate::Result<_>>()?)
    }

    pub(super) async fn page(
        &self,
        page: Page,
        target: impl ReadTarget,
    ) -> Result<DocumentPage, ListError> {
        let list = self.on(&target);
        let (read, order) = list.compose(Shown::Page(&page))?;
        let fingerprint = order.fingerprint(list.view.view);
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
            .map_err(read_failed(list.view))?;
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

    /// The number of documents, which the statement returns where a list has its documents.
    pub(super) async fn count(&self, target: impl ReadTarget) -> Result<u64, ListError> {
        let list = self.on(&target);
        let rows = target.list(list.compose_count()?).await?;
        let count = rows.first().and_then(ListRow::document);
        let count = count.and_then(|count| std::str::from_utf8(count.json()).ok()?.parse().ok());
        count.ok_or_else(|| {
            let error = sqlx::Error::Protocol("the count is not a number".to_owned());
            read_failed(list.view)(error).into()
        })
    }

    pub(super) async fn explain(&self, target: impl ReadTarget) -> Result<String, ListError> {
        explain(self.on(&target).statement()?, target).await
    }

    pub(super) async fn explain_page(
        &self,
        page: Page,
        target: impl ReadTarget,
    ) -> Result<String, ListError> {
        let (read, _) = self.on(&target).compose(Shown::Page(&page))?;
        explain(read, target).await
    }

    pub(super) fn sql(&self) -> Result<String, ListError> {
        Ok(self.statement()?.text.sql.to_string())
    }

    pub(super) fn page_sql(&self, page: &Page) -> Result<String, ListError> {
        Ok(self.compose(Shown::Page(page))?.0.text.sql.to_string())
    }

    pub(super) fn statement(&self) -> Result<ListRead, ListError> {
        Ok(self.compose(Shown::Documents)?.0)
    }
}

async fn explain(read: ListRead, target: impl ReadTarget) -> Result<String, ListError> {
    let rows = target.list(read.explained()).await?;
    // Each row of a plan has its text where the row of a list has its document.
    let lines: Vec<_> = rows
        .iter()
        .filter_map(ListRow::document)
        .map(|line| String::from_utf8_lossy(line.json()))
        .collect();
    Ok(lines.join("\n"))
}
