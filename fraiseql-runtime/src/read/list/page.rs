//! `Page`: which part of a list is read; and the documents that a list or a page returns.

use super::cursor::Cursor;
use crate::read::document::Document;
use crate::read::list_rows::ListRow;

/// Which part of a list is read: a number of documents at its start or its end, or after or before
/// a cursor.
///
/// ```
/// use fraiseql_runtime::list::{Cursor, Page};
///
/// fn next(end: Cursor) -> Page {
///     Page::first(20).after(end)
/// }
/// fn previous(start: Cursor) -> Page {
///     Page::last(20).before(start)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub(super) size: u32,
    /// Whether the page is at the end of the list.
    pub(super) from_end: bool,
    pub(super) after: Option<Cursor>,
    pub(super) before: Option<Cursor>,
}

impl Page {
    /// The first `size` documents.
    #[must_use]
    pub const fn first(size: u32) -> Self {
        Self {
            size,
            from_end: false,
            after: None,
            before: None,
        }
    }

    /// The last `size` documents. They are in the order of the list, too.
    #[must_use]
    pub const fn last(size: u32) -> Self {
        Self {
            size,
            from_end: true,
            after: None,
            before: None,
        }
    }

    /// Restricts the page to documents after a cursor.
    #[must_use]
    pub fn after(mut self, cursor: impl Into<Option<Cursor>>) -> Self {
        self.after = cursor.into();
        self
    }

    /// Restricts the page to documents before a cursor.
    #[must_use]
    pub fn before(mut self, cursor: impl Into<Option<Cursor>>) -> Self {
        self.before = cursor.into();
        self
    }
}

/// The documents of a list, in its order.
#[derive(Debug)]
pub struct Documents {
    documents: Vec<Document>,
}

impl Documents {
    pub(super) fn of(rows: Vec<ListRow>) -> Self {
        let documents = rows
            .into_iter()
            .filter_map(ListRow::into_document)
            .collect();
        Self { documents }
    }

    /// The documents, in the order of the list.
    pub fn iter(&self) -> std::slice::Iter<'_, Document> {
        self.documents.iter()
    }

    /// The number of documents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether there are no documents.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }
}

impl<'a> IntoIterator for &'a Documents {
    type Item = &'a Document;
    type IntoIter = std::slice::Iter<'a, Document>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Documents {
    type Item = Document;
    type IntoIter = std::vec::IntoIter<Document>;

    fn into_iter(self) -> Self::IntoIter {
        self.documents.into_iter()
    }
}

/// The documents of a page with their cursors, and whether the list has more of them on either
/// side.
#[derive(Debug)]
pub struct DocumentPage {
    pub(super) items: Vec<(Cursor, Document)>,
    pub(super) start: Option<Cursor>,
    pub(super) end: Option<Cursor>,
    pub(super) has_next: bool,
    pub(super) has_previous: bool,
}

impl DocumentPage {
    /// The documents in the order of the list, each with its cursor.
    pub fn items(
        &self,
    ) -> impl ExactSizeIterator<Item = (&Cursor, &Document)> + DoubleEndedIterator {
        self.items
            .iter()
            .map(|(cursor, document)| (cursor, document))
    }

    /// As [`items`](Self::items), by value.
    #[must_use]
    pub fn into_items(self) -> Vec<(Cursor, Document)> {
        self.items
    }

    /// The number of documents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no documents.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether the list has documents after this page. A page of the last documents before a
    /// cursor returns true without a query: the cursor's document was there.
    #[must_use]
    pub const fn has_next(&self) -> bool {
        self.has_next
    }

    /// Whether the list has documents before this page. A page of the first documents after a
    /// cursor returns true without a query: the cursor's document was there.
    #[must_use]
    pub const fn has_previous(&self) -> bool {
        self.has_previous
    }

    /// The cursor of the first document of this page. The previous page is before it.
    #[must_use]
    pub const fn start(&self) -> Option<&Cursor> {
        self.start.as_ref()
    }

    /// The cursor of the last document of this page. The next page is after it.
    #[must_use]
    pub const fn end(&self) -> Option<&Cursor> {
        self.end.as_ref()
    }
}
