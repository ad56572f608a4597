//! A page of a list, and what is read: documents, and documents with their places.

use super::cursor::Cursor;
use crate::read::document::Document;
use crate::read::list_rows::ListRow;

/// Which page of a list: so many documents from its beginning or its end, or from a cursor on.
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

    /// The last `size` documents. They are in the order of the list all the same.
    #[must_use]
    pub const fn last(size: u32) -> Self {
        Self {
            size,
            from_end: true,
            after: None,
            before: None,
        }
    }

    /// Only of what comes after a cursor.
    #[must_use]
    pub fn after(mut self, cursor: impl Into<Option<Cursor>>) -> Self {
        self.after = cursor.into();
        self
    }

    /// Only of what comes before a cursor.
    #[must_use]
    pub fn before(mut self, cursor: impl Into<Option<Cursor>>) -> Self {
        self.before = cursor.into();
        self
    }
}

/// Documents of a list, in its order.
#[derive(Debug)]
pub struct Documents {
    pub(super) documents: Vec<Document>,
}

impl Documents {
    #[doc(hidden)]
    pub fn of(rows: Vec<ListRow>) -> Self {
        let documents = rows.into_iter().filter_map(ListRow::into_document).collect();
        Self { documents }
    }

    /// The documents, in the list's order.
    pub fn iter(&self) -> std::slice::Iter<'_, Document> {
        self.documents.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether there are none.
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

/// A page of a list: documents with their places, and whether there are more on either side.
#[derive(Debug)]
pub struct Connection {
    pub(super) items: Vec<(Cursor, Document)>,
    pub(super) start: Option<Cursor>,
    pub(super) end: Option<Cursor>,
    pub(super) has_next: bool,
    pub(super) has_previous: bool,
}

impl Connection {
    /// The documents in the list's order, each with its place.
    pub fn items(
        &self,
    ) -> impl ExactSizeIterator<Item = (&Cursor, &Document)> + DoubleEndedIterator {
        self.items
            .iter()
            .map(|(cursor, document)| (cursor, document))
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_items(self) -> Vec<(Cursor, Document)> {
        self.items
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether there are documents behind the last of this page. Of the last documents before a
    /// cursor it says true: there was the cursor's document.
    #[must_use]
    pub const fn has_next(&self) -> bool {
        self.has_next
    }

    /// Whether there are documents in front of the first of this page. Of the first documents
    /// after a cursor it says true: there was the cursor's document.
    #[must_use]
    pub const fn has_previous(&self) -> bool {
        self.has_previous
    }

    /// The first place of this page: before it is the previous one.
    #[must_use]
    pub const fn start(&self) -> Option<&Cursor> {
        self.start.as_ref()
    }

    /// The last place of this page: after it is the next one.
    #[must_use]
    pub const fn end(&self) -> Option<&Cursor> {
        self.end.as_ref()
    }
}
