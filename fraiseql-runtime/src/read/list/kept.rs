//! `KeptStatement`: the text of a list's statement, for lists that differ in values only.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use crate::mutex::lock;
use crate::sql::list::ListQuery;

/// The text of a list's statement.
#[derive(Clone, Debug)]
pub(crate) struct StatementText {
    pub(crate) sql: Arc<str>,
    /// The statement for a session with other settings, if the view is live and needs them.
    pub(crate) in_set_session: Option<Arc<str>>,
    /// The statement that reads the documents, if the first one reads columns and tests whether they are the same.
    pub(crate) of_documents: Option<Arc<str>>,
}

/// Keeps the text of the last statement that was composed. The text does not depend on the values of
/// filters and cursors, and so it can be sent for others.
#[derive(Default)]
pub struct KeptStatement {
    last: Mutex<Option<(Arc<ListQuery<'static>>, StatementText)>>,
    /// Whether columns are the same as documents, once a statement has tested it: that takes as long as to read
    /// some fifty rows.
    columns_are_same: OnceLock<bool>,
}

impl KeptStatement {
    /// The text of a statement: the kept one, if it has the same structure; otherwise it is composed and
    /// kept.
    pub(super) fn text_of(
        &self,
        query: ListQuery<'static>,
        compose: impl FnOnce(&ListQuery<'_>) -> StatementText,
    ) -> StatementText {
        let kept = lock(&self.last).clone();
        if let Some((of, text)) = kept
            && *of == query
        {
            return text;
        }
        let text = compose(&query);
        *lock(&self.last) = Some((Arc::new(query), text.clone()));
        text
    }

    /// Whether columns are the same as documents, if a statement has tested it.
    pub(super) fn columns_are_same(&self) -> Option<bool> {
        self.columns_are_same.get().copied()
    }

    /// Remembers the result of a test.
    pub(crate) fn remember(&self, columns_are_same: bool) {
        // Another read may have been first, with the same result.
        let _ = self.columns_are_same.set(columns_are_same);
    }
}

impl fmt::Debug for KeptStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptStatement").finish_non_exhaustive()
    }
}
